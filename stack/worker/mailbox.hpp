#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>
#include <variant>
#include <vector>

#include "stack/assoc/icmp_report.hpp"
#include "stack/base/arrival.hpp"
#include "stack/base/spsc_ring.hpp"
#include "stack/endpoint/cookie_keys.hpp"
#include "stack/endpoint/endpoint.hpp"
#include "stack/endpoint/messages.hpp"
#include "stack/ip/frame_sink.hpp"
#include "stack/worker/channel_records.hpp"
#include "stack/worker/command_arguments.hpp"

// What one worker sends to another.
namespace sluice::worker {

/// Index of an application of the stack.
using ApplicationId = Strong<struct ApplicationIdTag, std::uint16_t>;

/// A packet on its way to the worker that is concerned with it. Dropped and counted when the ring is full, as a NIC
/// would.
struct PacketRecord {
  enum class Kind : std::uint8_t {
    steered,    ///< its tag names the receiver
    directory,  ///< the receiver is its directory; `received_by` got it from a port
    to_owner,   ///< the directory found that `tag` is its association
    fragment,   ///< a frame of port `arrival.port` that holds an IP fragment which the receiver joins
  };
  Kind kind = Kind::steered;
  endpoint::WorkerId received_by{};
  VTag tag;
  base::Arrival arrival;
  base::Block* block = nullptr;  ///< with its single reference
};

/// Frames for a port of which the receiver has a transmit queue and the sender has none. A ring for each such port, so
/// that one which takes nothing does not hold up the others.
struct FrameRing {
  FrameRing(std::uint16_t number, std::uint32_t slots) : port(number), blocks(slots) {}

  const std::uint16_t port;
  base::SpscRing<base::Block*> blocks;  ///< each with its single reference
};

/// Directory → owner: create an association and give it this packet.
struct CreateMessage {
  endpoint::CreateOrder order;
  base::Arrival arrival;
  base::Block* block = nullptr;
};

/// Who awaits the answer to a request that the control worker carries out.
struct Requester {
  endpoint::WorkerId worker{};
  ApplicationId application;
  std::uint64_t request = 0;
};

/// Any worker → control worker. What the whole stack has to agree on goes through one worker, so that it happens in one
/// order everywhere.
struct OpenEndpointRequest {
  Requester requester;
  OpenEndpointArguments arguments;
};
struct CloseEndpointRequest {
  Requester requester;
  EndpointId endpoint;
};
struct SetParametersRequest {
  Requester requester;
  EndpointId endpoint;
  Parameters parameters;
};
/// Control worker → requester.
struct EndpointReply {
  Requester requester;
  CommandStatus status = CommandStatus::done;
  EndpointId endpoint;
  std::uint16_t port = 0;
};

/// Control worker → every other: a change of an endpoint's replica, answered by EndpointDone.
struct EndpointOpen {
  endpoint::Endpoint endpoint;
  ApplicationId application;
  bool ephemeral = false;
};
struct EndpointListen {
  EndpointId endpoint;
};
struct EndpointClose {
  EndpointId endpoint;
};
struct EndpointParameters {
  EndpointId endpoint;
  Parameters parameters;
};
struct EndpointDone {
  EndpointId endpoint;
};

/// Control worker → every other.
struct LinkChange {
  std::uint16_t port = 0;
  bool up = false;
};

/// Directory → owner of the association that an ICMP error is about. On its way to the directory it is an IcmpNotice.
struct IcmpMessage {
  VTag owner;        ///< our tag, which the directory has it under
  IpAddress source;  ///< of the quoted packet
  assoc::IcmpReport report;
};

/// Never lost, except for ICMP errors and neighbours: what finds the ring full waits at the sender. How many there can
/// be is bounded by the tables that they are about (associations, endpoints).
using ControlMessage =
    std::variant<CreateMessage, endpoint::DirectoryRequest, endpoint::DirectoryReply, endpoint::DirectoryRelease,
                 endpoint::DirectoryRetag, OpenEndpointRequest, CloseEndpointRequest, SetParametersRequest,
                 EndpointReply, EndpointOpen, EndpointListen, EndpointClose, EndpointParameters, EndpointDone,
                 LinkChange, ip::NeighbourUpdate, ip::IcmpNotice, IcmpMessage, endpoint::CookieKeys>;
static_assert(std::is_trivially_copyable_v<ControlMessage>);

/// From one worker to another.
struct Mailbox {
  explicit Mailbox(std::uint32_t packet_slots) : packets(packet_slots), control(kControlSlots) {}

  /// Shows the receiver what was pushed. True if there was anything.
  bool publish() {
    bool any = packets.publish();
    for (const auto& ring : frames) any |= ring->blocks.publish();
    any |= control.publish();
    return any;
  }

  static constexpr std::uint32_t kControlSlots = 256;

  base::SpscRing<PacketRecord> packets;
  std::vector<std::unique_ptr<FrameRing>> frames;  ///< see StackState::transmits_for()
  base::SpscRing<ControlMessage> control;
};

}  // namespace sluice::worker
