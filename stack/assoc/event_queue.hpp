#pragma once

#include <sluice/event.hpp>

#include "stack/assoc/handshake.hpp"

namespace sluice::assoc {

/// What an association tells the application besides messages, in short form: the queue of an idle association must
/// cost next to nothing.
struct Notification {
  EventType type = EventType::closed;
  PathId path;
  PathState path_state = PathState::active;
  std::uint16_t error = 0;
};

/// Notifications that the application had no room for, in order. None is ever lost, and yet the queue is bounded: of
/// each path only the newest state waits, the peer's ERRORs share three places, and the rest happens once.
class EventQueue {
 public:
  bool empty() const { return waiting_.empty(); }
  const Notification& front() const { return waiting_.front(); }
  void pop() { waiting_.erase(0); }

  /// True while the application has not been told that the association began (anew): no message may overtake that.
  bool holds_start() const {
    for (const Notification& waiting : waiting_)
      if (is_start(waiting.type)) return true;
    return false;
  }

  void push(const Notification& notification) {
    if (Notification* const same = superseded_by(notification))
      *same = notification;
    else
      SLUICE_CHECK(waiting_.push_back(notification));
  }

 private:
  static constexpr std::size_t kMaxRemoteErrors = 3;
  static constexpr std::size_t kOthers = 4;  // up, restarted, shutdown_received, and the end

  static bool is_start(EventType type) { return type == EventType::association_up || type == EventType::restarted; }

  Notification* superseded_by(const Notification& notification) {
    std::size_t remote_errors = 0;
    for (Notification& waiting : waiting_) {
      if (waiting.type != notification.type) continue;
      const bool one_of_many = waiting.type == EventType::path_changed   ? waiting.path != notification.path
                               : waiting.type == EventType::remote_error ? ++remote_errors < kMaxRemoteErrors
                                                                         : false;
      if (!one_of_many) return &waiting;
    }
    return nullptr;
  }

  base::BoundedVector<Notification, kMaxAddresses + kMaxRemoteErrors + kOthers> waiting_;
};

}  // namespace sluice::assoc
