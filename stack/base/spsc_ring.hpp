#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>

#include "stack/base/check.hpp"

namespace sluice::base {

/// A bounded ring between one producer thread and one consumer thread, of plain records. Neither side locks or waits.
/// Records are published and released in bursts, so that the shared lines move once a burst.
template <class T>
class SpscRing {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  /// Room for at least `capacity` records (the next power of two).
  explicit SpscRing(std::size_t capacity)
      : mask_(std::bit_ceil(capacity) - 1), slots_(std::make_unique<T[]>(mask_ + 1)) {}
  SpscRing(const SpscRing&) = delete;
  SpscRing& operator=(const SpscRing&) = delete;

  std::size_t capacity() const { return mask_ + 1; }

  /// Producer: records that can be pushed now without being refused.
  std::size_t room() {
    if (tail_ - seen_head_ > mask_ / 2) seen_head_ = head_shared_.load(std::memory_order_acquire);
    return capacity() - (tail_ - seen_head_);
  }
  /// Producer: adds `record`, not visible before publish(). False when full.
  bool push(const T& record) {
    if (tail_ - seen_head_ == capacity()) {
      seen_head_ = head_shared_.load(std::memory_order_acquire);
      if (tail_ - seen_head_ == capacity()) return false;
    }
    slots_[tail_ & mask_] = record;
    ++tail_;
    return true;
  }
  /// Producer: shows all that was pushed. True if there was something to show.
  bool publish() {
    if (tail_ == published_) return false;
    tail_shared_.store(tail_, std::memory_order_release);
    published_ = tail_;
    return true;
  }
  /// Producer: something was pushed that is not visible yet.
  bool holds_back() const { return tail_ != published_; }
  /// Consumer: takes up to out.size() records, returns how many.
  std::size_t pop(std::span<T> out) {
    std::size_t n = seen_tail_ - head_;
    if (n < out.size()) {
      seen_tail_ = tail_shared_.load(std::memory_order_acquire);
      n = seen_tail_ - head_;
    }
    if (n > out.size()) n = out.size();
    for (std::size_t i = 0; i < n; ++i) out[i] = slots_[(head_ + i) & mask_];
    if (n > 0) {
      head_ += n;
      head_shared_.store(head_, std::memory_order_release);
    }
    return n;
  }
  /// Either side: nothing published is waiting, as far as this thread can see now.
  bool empty() const {
    return head_shared_.load(std::memory_order_acquire) == tail_shared_.load(std::memory_order_acquire);
  }

 private:
  static constexpr std::size_t kCacheLine = 64;

  const std::size_t mask_;
  const std::unique_ptr<T[]> slots_;
  alignas(kCacheLine) std::atomic<std::size_t> tail_shared_{0};
  alignas(kCacheLine) std::size_t tail_ = 0;  // producer's own, like the next two
  std::size_t published_ = 0;
  std::size_t seen_head_ = 0;
  alignas(kCacheLine) std::atomic<std::size_t> head_shared_{0};
  alignas(kCacheLine) std::size_t head_ = 0;  // consumer's own, like the next
  std::size_t seen_tail_ = 0;
};

}  // namespace sluice::base
