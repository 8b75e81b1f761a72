#pragma once

#include <array>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/message.hpp"
#include "tests/sim/pieces.hpp"
#include "tests/sim/sim_stack.hpp"

namespace sluice::sim {

/// Counts of everything by name; their order is the names'.
using Tally = std::map<std::string, std::uint64_t>;

/// How the applications of one run behave.
struct Behaviour {
  std::uint32_t messages = 200;  ///< each association and direction
  std::uint32_t largest = 3000;
  std::uint32_t tiny_percent = 20;  ///< 1 to 19 bytes
  std::uint32_t unordered_percent = 20;
  std::uint32_t huge_percent = 1;   ///< up to 150 000 bytes
  std::uint32_t abort_percent = 5;  ///< of associations, instead of a shutdown
  bool moves_primary = false;       ///< chooses another primary path now and then
  Duration pause{};                 ///< up to this between two messages, and twenty times as long before the end
};

/// One side's applications: opens associations, sends, checks each message that comes: once, in order within its
/// stream, intact. Says what is wrong by throwing std::runtime_error.
class Application {
 public:
  Application(SimStack& stack, base::SimClock& clock, std::uint32_t side, std::uint64_t seed,
              const Behaviour& behaviour, Tally& tally);

  /// To the host that has `peers`, the first of which is tried first.
  void connect(EndpointId endpoint, const assoc::AddressList& peers, std::uint16_t port);
  /// Takes events, sends, gives buffers back, of worker `index`; false if there was nothing to do.
  bool step(std::uint16_t index);
  /// Its stack died without a word, and a new one stands in its place: everything but the record is forgotten.
  void move_to(SimStack& anew);
  /// The same happened to the other side, whose application was `died`: what it had not taken yet may be lost, and our
  /// associations with it, `left_alone`, have nothing to say until they restart or end.
  void peer_died(const Application& died, const std::set<std::uint64_t>& left_alone);
  /// Until then it takes nothing: a slow reader.
  void pause_until(Timestamp time) { paused_until_ = time; }
  /// From now on buffers are kept for so long.
  void hold_buffers_for(Duration time) { hold_ = time; }
  /// No more messages than were sent, and the end comes.
  void finish() { finishing_ = true; }
  Timestamp next_deadline() const;
  /// Nothing of its associations is left, and all buffers are back.
  bool idle() const { return flows_.empty() && held_.empty() && connecting_ == 0; }

  /// What was sent and received, by flow, for the comparison at the end.
  struct Sent {
    std::map<std::uint16_t, std::uint32_t> ordered;  ///< messages by stream
    std::uint32_t unordered = 0;
    bool told = false;         ///< one of them says whose it is
    bool graceful = false;     ///< it ended by a shutdown: all of it was acknowledged
    bool aborted = false;      ///< an application aborted it
    bool cut_off = false;      ///< one of the stacks died
    std::uint32_t failed = 0;  ///< messages that were not acknowledged
  };
  const std::map<std::uint32_t, Sent>& sent() const { return sent_; }
  const std::map<std::uint32_t, Sent>& received() const { return received_; }
  /// Flows of the peer in whose place another one began, though the peer's stack lived: it came to a bad end there. 0:
  /// one that never told its name.
  const std::vector<std::uint32_t>& given_up() const { return given_up_; }
  /// Associations that it opened and that nobody answered.
  std::uint32_t unanswered() const { return unanswered_; }

 private:
  struct Flow {
    AssocId association;
    std::uint32_t name = 0;
    std::uint32_t from = 0;  ///< the peer's flow, once a message has told
    std::uint16_t streams = 1;
    std::uint32_t left = 0;
    bool active = false;
    bool fresh = true;  ///< what becomes of it is seen one step apart
    bool blocked = false;
    bool closing = false;
    bool aborts = false;
    Timestamp next_send{};  ///< or the end
    std::map<std::uint16_t, std::uint32_t> next_out;
    std::uint32_t next_unordered = 0;
    std::map<std::uint16_t, std::uint32_t> next_in;
    std::map<std::uint32_t, bool> unordered_in;
    std::uint32_t ordered_in = 0;
    std::map<std::uint16_t, Pieces> pieces;  ///< by stream: those of its messages do not mix
  };
  struct Held {
    std::uint16_t worker;
    std::uint64_t handle;
    Timestamp until;
  };

  Duration some(Duration limit);
  void on_event(std::uint16_t index, const Event& event);
  void on_message(Flow& flow, const Event& event);
  std::span<const std::byte> contents_of(const Message& message);
  void check(Flow& flow, const Event& event, std::span<const std::byte> bytes);
  void begin(const Event& event);
  void begin_anew(const Event& event);
  void name_flow(Flow& flow, const Event& event);
  void end(const Event& event);
  bool pump(Flow& flow);
  bool send_one(Flow& flow);
  void move_primary(const Flow& flow);
  bool release(std::uint16_t index);
  [[noreturn]] void fail(const Flow* flow, const std::string& what) const;

  /// Counters that every message moves.
  struct Counts {
    std::uint64_t& pieces;
    std::uint64_t& messages;
    std::uint64_t& bytes;
  };

  SimStack* stack_;
  base::SimClock& clock_;
  std::uint32_t side_;
  base::SeededRandom random_;
  Behaviour behaviour_;
  Tally& tally_;
  Counts counts_;
  std::map<std::uint64_t, Flow> flows_;  // by association
  std::set<std::uint64_t> left_alone_;   // associations whose peer died
  std::vector<std::uint32_t> given_up_;
  std::vector<Held> held_;
  std::array<Event, 32> events_;  // of one step
  std::vector<std::byte> contents_;
  std::map<std::uint32_t, Sent> sent_;
  std::map<std::uint32_t, Sent> received_;
  std::uint32_t names_ = 0;
  std::uint32_t connecting_ = 0;
  std::uint32_t unanswered_ = 0;
  Timestamp paused_until_{};
  Duration hold_{};
  bool finishing_ = false;
};

}  // namespace sluice::sim
