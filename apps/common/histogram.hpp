#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace sluice::apps {

/// Counts values with a relative error below 1/32, in constant memory: exact below 64, then 32 buckets an octave.
class Histogram {
 public:
  void add(std::uint64_t value) {
    ++counts_[bucket(value)];
    ++total_;
  }
  void merge(const Histogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
  }
  std::uint64_t total() const { return total_; }
  /// The value that `share` (0 to 1) of all values do not exceed; 0 without values.
  std::uint64_t quantile(double share) const {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > wanted || (seen == total_ && total_ > 0)) return upper_bound(i);
    }
    return 0;
  }
  /// Calls visit(upper bound, count) for each bucket that has any.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (std::size_t i = 0; i < counts_.size(); ++i)
      if (counts_[i] > 0) visit(upper_bound(i), counts_[i]);
  }

 private:
  static constexpr unsigned kExactBits = 6;
  static constexpr unsigned kSubBits = kExactBits - 1;
  static constexpr std::size_t kBuckets = (64 - kExactBits + 2) << kSubBits;

  static std::size_t bucket(std::uint64_t value) {
    if (value < 1u << kExactBits) return value;
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - kExactBits;
    return (static_cast<std::size_t>(shift) << kSubBits) + (value >> shift);
  }
  static std::uint64_t upper_bound(std::size_t index) {
    if (index < 1u << kExactBits) return index;
    const std::size_t shift = (index >> kSubBits) - 1;
    return ((index - (shift << kSubBits) + 1) << shift) - 1;
  }

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace sluice::apps
