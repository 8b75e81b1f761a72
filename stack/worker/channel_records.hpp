#pragma once

#include <sluice/event.hpp>

#include <cstdint>
#include <type_traits>

// What crosses between an application and a worker: plain records that fit a cache line, naming memory by region,
// offset and length, never by address, so that the rings can lie in memory shared with another process.
namespace sluice::worker {

enum class CommandType : std::uint8_t {
  send,                        ///< association, stream, ppid, flags, context; the arena block holds the message
  connect,                     ///< endpoint, context; the block holds ConnectArguments. Reply: association
  shutdown,                    ///< association (RFC 9260 §11.1.3)
  abort,                       ///< association; the block holds the reason as text, length 0: none (§11.1.4)
  open_endpoint,               ///< the block holds OpenEndpointArguments. Reply: endpoint, value = its port
  close_endpoint,              ///< endpoint. Reply when every worker has closed it
  set_parameters,              ///< endpoint; the block holds Parameters, for associations that begin later. Reply
  set_primary,                 ///< association; value = the path (§11.1.6). Reply
  request_heartbeat,           ///< association; value = the path (§11.1.10). Reply
  set_path,                    ///< association; the block holds SetPathArguments. Reply
  set_association_parameters,  ///< association; the block holds Parameters, for it from now on. Reply
  parameters,                  ///< association; the worker fills the block with its Parameters. Reply: length
  status,                      ///< association; the worker fills the block with one assoc::Snapshot. Reply: length
  snapshot,  ///< association = the last one seen, value = most records; fills the block with assoc::Snapshot
             ///< records in order of id. Reply: length
  counters,  ///< fills the block with 64-bit values in the order of visit_counters(). Reply: length
};

/// Why a command was refused, in its reply.
enum class CommandStatus : std::uint16_t {
  done,
  bad_record,     ///< its block, offset, length or type is out of range
  bad_arguments,  ///< no address, not an address of ours, or a value out of range
  no_endpoint,
  no_association,
  port_in_use,    ///< open: another endpoint has the port; connect: the peer has an association over it already
  limit_reached,  ///< of associations, opening attempts, endpoints or ephemeral ports: try again later
  not_connected,  ///< the association is closing or closed
};

/// Application → worker.
struct alignas(64) CommandRecord {
  static constexpr std::uint8_t kUnordered = 1;
  static constexpr std::uint8_t kEnd = 2;
  static constexpr std::uint8_t kSackImmediately = 4;

  CommandType type = CommandType::send;
  std::uint8_t flags = 0;
  StreamId stream;
  Ppid ppid;
  AssocId association;
  std::uint64_t context = 0;
  std::uint64_t request = 0;  ///< comes back in the reply
  EndpointId endpoint;
  std::uint32_t block = kNoBlock;  ///< of the application's send arena
  std::uint32_t offset = 0;        ///< into the block
  std::uint32_t length = 0;
  std::uint32_t value = 0;    ///< of a message, the path to use, counted from 1; 0: any
  std::int64_t lifetime = 0;  ///< of a message, in nanoseconds; 0: no limit

  static constexpr std::uint32_t kNoBlock = UINT32_MAX;
};

/// Worker → application.
struct alignas(64) EventRecord {
  enum class Kind : std::uint8_t {
    event,  ///< what a sluice::Event tells
    reply,  ///< `error` is a CommandStatus, `context` the request
  };
  enum class Region : std::uint8_t { received, arena };
  static constexpr std::uint8_t kBegin = 1;
  static constexpr std::uint8_t kEnd = 2;
  static constexpr std::uint8_t kUnordered = 4;
  static constexpr std::uint8_t kActive = 8;
  static constexpr std::uint8_t kSent = 16;
  static constexpr std::uint32_t kNotLent = UINT32_MAX;

  Kind kind = Kind::event;
  EventType type = EventType::message;
  std::uint8_t flags = 0;
  PathId path;
  PathState path_state = PathState::active;
  Region region = Region::received;  ///< where `offset` begins
  StreamId stream;
  std::uint16_t error = 0;
  std::uint16_t streams_in = 0;
  std::uint16_t streams_out = 0;
  AssocId association;
  EndpointId endpoint;
  Ppid ppid;
  std::uint32_t message_id = 0;  ///< in a reply: its value
  std::uint32_t length = 0;
  std::uint32_t lent = kNotLent;  ///< what to put into the ring of returned buffers
  std::uint64_t context = 0;
  std::uint64_t offset = 0;  ///< of what is lent: where its bytes are in `region`
};

static_assert(sizeof(CommandRecord) == 64 && std::is_trivially_copyable_v<CommandRecord>);
static_assert(sizeof(EventRecord) == 64 && std::is_trivially_copyable_v<EventRecord>);

}  // namespace sluice::worker
