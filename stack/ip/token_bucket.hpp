#pragma once

#include <sluice/time.hpp>

#include <algorithm>
#include <cstdint>

namespace sluice::ip {

/// Lets `rate` things a second pass, in bursts of as many.
class TokenBucket {
 public:
  explicit TokenBucket(std::uint32_t rate) : rate_(rate), tokens_(rate) {}

  bool take(Timestamp now) {
    refill(now);
    if (tokens_ == 0) return false;
    --tokens_;
    return true;
  }

 private:
  void refill(Timestamp now) {
    if (rate_ == 0) return;
    const Duration each = Duration(std::chrono::seconds(1)) / rate_;
    if (now - filled_ >= each * rate_) {
      tokens_ = rate_;
      filled_ = now;
      return;
    }
    const auto due = static_cast<std::uint32_t>((now - filled_) / each);
    tokens_ = std::min(rate_, tokens_ + due);
    filled_ += each * due;
  }

  std::uint32_t rate_;
  std::uint32_t tokens_;
  Timestamp filled_{};
};

}  // namespace sluice::ip
