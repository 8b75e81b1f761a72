#pragma once

#include <deque>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "tests/sim/message.hpp"
#include "tests/sim/pieces.hpp"
#include "tests/sim/sim_stack.hpp"

namespace sluice::fuzz {

/// What one side has of one association, from association_up or restarted on.
struct Flow {
  AssocId association;
  std::uint32_t name = 0;
  std::uint32_t from = 0;  ///< the peer's flow, once a message has told
  std::uint16_t streams = 1;
  bool ended = false;
  bool graceful = false;      ///< ended by a shutdown: all that was sent was acknowledged
  bool tells_itself = false;  ///< a message that says whose it is was sent
  bool failed_sends = false;  ///< the stack said that some message did not arrive
  bool restart_due = false;   ///< a part was refused as after a restart, of which the application does not know yet

  struct Begun {
    sim::Message message;
    std::uint32_t sent = 0;
  };
  std::map<std::uint16_t, Begun> begun;  ///< messages of which a part is to follow, by stream
  std::set<std::uint16_t> broken;        ///< streams whose message a restart broke: up to its end all is refused
  std::map<std::uint16_t, std::uint32_t> next_out;
  std::uint32_t next_unordered = 0;  ///< index; messages of several streams are sent by parts at once
  std::uint32_t unordered_out = 0;   ///< sent whole

  std::map<std::uint16_t, sim::Pieces> pieces;  ///< by stream: those of its messages do not mix
  std::map<std::uint16_t, std::uint32_t> next_in;
  std::set<std::uint32_t> unordered_in;
};

/// The application of one side: does what the input says, and checks what it is told. Whatever a peer sends, events
/// keep their order and the pieces of a message belong together; while `exact`, each message also comes once, in order,
/// intact.
class Application {
 public:
  Application(sim::SimStack& stack, std::uint32_t side) : stack_(&stack), side_(side) {}

  void connect(EndpointId endpoint, std::span<const IpAddress> peers, std::uint16_t port, std::uint16_t worker);
  /// The flow that the input means, of those that have not ended; null when there is none.
  Flow* flow(std::uint8_t choice);
  /// Sends a whole message, or the rest of one that was begun on this stream.
  assoc::SendStatus send(Flow& flow, std::uint16_t stream, std::uint32_t length, bool unordered);
  /// Begins a message on this stream, or goes on with the one that was begun.
  assoc::SendStatus send_part(Flow& flow, std::uint16_t stream, std::uint32_t length, std::uint32_t part,
                              bool unordered, bool end);
  /// As send_part() with another PPID than the part before: it must be refused.
  void send_wrong_part(Flow& flow, std::uint16_t stream);

  /// Takes what worker `index` tells, unless paused. False if there was nothing.
  bool take_events(std::uint16_t index);
  void set_paused(bool paused) { paused_ = paused; }
  /// Whether buffers are kept until release() or go back at once.
  void set_holding(bool holding) { holding_ = holding; }
  void release(std::size_t count, bool newest_first);
  void release_all() { release(held_.size(), false); }

  /// From now on messages may be forged, lost or repeated.
  void set_inexact() { exact_ = false; }
  /// Its stack is gone without a word, and another one stands in its place.
  void move_to(sim::SimStack& anew);

  const std::deque<Flow>& flows() const { return flows_; }
  std::uint32_t connecting() const { return connecting_; }

 private:
  struct Held {
    std::uint16_t worker;
    std::uint64_t handle;
  };

  void on_event(std::uint16_t index, const Event& event);
  void begin(const Event& event);
  void restart(const Event& event, Flow& before);
  void on_message(Flow& flow, const Event& event);
  void check(Flow& flow, const Event& event, std::span<const std::byte> bytes);
  void end(const Event& event);
  assoc::SendStatus send_slice(Flow& flow, Flow::Begun& begun, std::uint32_t length);
  void on_refused(Flow& flow, std::uint16_t stream, bool last, assoc::SendStatus status);
  [[noreturn]] void wrong(const Event& event, const std::string& what) const;

  sim::SimStack* stack_;
  std::uint32_t side_;
  std::deque<Flow> flows_;
  std::map<std::uint64_t, Flow*> live_;  // by association
  std::deque<Held> held_;
  std::uint32_t names_ = 0;
  std::uint32_t connecting_ = 0;
  std::uint64_t restarts_ = 0;  // of which it was told, of this stack's
  bool paused_ = false;
  bool holding_ = false;
  bool exact_ = true;
};

/// Everything that was acknowledged on one side arrived on the other. For the end, while all was exact.
void check_nothing_lost(const Application& sender, const Application& receiver);

}  // namespace sluice::fuzz
