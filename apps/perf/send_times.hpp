#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace sluice::apps {

/// When each request under way was sent, by its sequence number: answers of unordered requests, and of ordered ones on
/// different streams, come back in any order. Takes its memory when made.
class SendTimes {
 public:
  /// At most `most` requests are under way at once.
  explicit SendTimes(std::size_t most)
      : slots_(std::bit_ceil(2 * std::max<std::size_t>(most, 1))),
        shift_(32 - static_cast<unsigned>(std::countr_zero(slots_.size()))) {}

  void put(std::uint32_t sequence, std::uint64_t time) {
    std::size_t i = home(sequence);
    while (slots_[i].used && slots_[i].sequence != sequence) i = next(i);
    slots_[i] = {time, sequence, true};
  }

  /// Takes the time of `sequence` out; nothing when it is not under way.
  std::optional<std::uint64_t> take(std::uint32_t sequence) {
    std::size_t i = home(sequence);
    while (slots_[i].used && slots_[i].sequence != sequence) i = next(i);
    if (!slots_[i].used) return std::nullopt;
    const std::uint64_t time = slots_[i].time;
    close_gap(i);
    return time;
  }

 private:
  struct Slot {
    std::uint64_t time = 0;
    std::uint32_t sequence = 0;
    bool used = false;
  };

  std::size_t home(std::uint32_t sequence) const { return (sequence * 0x9e3779b1u) >> shift_; }
  std::size_t next(std::size_t i) const { return (i + 1) & (slots_.size() - 1); }

  /// Empties slot `gap` and moves up what would not be found behind an empty one.
  void close_gap(std::size_t gap) {
    for (std::size_t i = next(gap); slots_[i].used; i = next(i)) {
      const std::size_t from_home = (i - home(slots_[i].sequence)) & (slots_.size() - 1);
      const std::size_t from_gap = (i - gap) & (slots_.size() - 1);
      if (from_home < from_gap) continue;
      slots_[gap] = slots_[i];
      gap = i;
    }
    slots_[gap].used = false;
  }

  std::vector<Slot> slots_;  // half of them at most are used
  unsigned shift_;
};

}  // namespace sluice::apps
