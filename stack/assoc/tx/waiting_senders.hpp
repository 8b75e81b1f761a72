#pragma once

#include <array>
#include <cstdint>

#include "stack/base/intrusive_list.hpp"

namespace sluice::assoc {

/// Which pool a sender found empty.
enum class Scarce : std::uint8_t { message_parts, outbound_streams, stream_pages, sent_segments };
inline constexpr std::size_t kScarcePools = 4;

/// A sender's place among those that wait.
struct WaitingSender : base::ListHook<> {
  Scarce scarce_pool = Scarce::message_parts;  ///< while it is linked()
};

/// Senders that found a pool empty and have nothing of their own to wait for: others' acknowledgements alone bring them
/// further. Each waits for one pool at a time, the longest waiting first.
class WaitingSenders {
 public:
  bool empty() const { return count_ == 0; }
  void add(WaitingSender& sender, Scarce scarce) {
    sender.scarce_pool = scarce;
    list(scarce).push_back(sender);
    ++count_;
  }
  void remove(WaitingSender& sender) {
    list(sender.scarce_pool).erase(sender);
    --count_;
  }
  /// Null: nobody waits for it.
  WaitingSender* front(Scarce scarce) { return list(scarce).front(); }
  std::size_t size(Scarce scarce) { return list(scarce).size(); }

 private:
  base::IntrusiveList<WaitingSender>& list(Scarce scarce) { return lists_[static_cast<std::size_t>(scarce)]; }

  std::array<base::IntrusiveList<WaitingSender>, kScarcePools> lists_;
  std::size_t count_ = 0;
};

}  // namespace sluice::assoc
