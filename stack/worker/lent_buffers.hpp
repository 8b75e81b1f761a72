#pragma once

#include <cstdint>
#include <vector>

#include "stack/base/buffer.hpp"

namespace sluice::worker {

/// Received buffers that one application holds, each under a number. The numbers that come back are the application's
/// word: one that names nothing lent is refused.
class LentBuffers {
 public:
  explicit LentBuffers(std::uint32_t limit) : blocks_(limit, nullptr) {
    free_.reserve(limit);
    for (std::uint32_t number = limit; number-- > 0;) free_.push_back(number);
  }
  LentBuffers(const LentBuffers&) = delete;
  LentBuffers& operator=(const LentBuffers&) = delete;
  ~LentBuffers() { take_all_back(); }

  bool full() const { return free_.empty(); }
  std::uint32_t out() const { return static_cast<std::uint32_t>(blocks_.size() - free_.size()); }
  std::uint32_t limit() const { return static_cast<std::uint32_t>(blocks_.size()); }

  /// Takes the reference of `buffer`. Not when full().
  std::uint32_t lend(base::Buffer& buffer) noexcept {
    const std::uint32_t number = free_.back();
    free_.pop_back();
    blocks_[number] = buffer.release();
    return number;
  }
  /// False: nothing is lent under this number.
  [[nodiscard]] bool take_back(std::uint32_t number) noexcept {
    if (number >= blocks_.size() || blocks_[number] == nullptr) return false;
    base::Buffer::adopt(*std::exchange(blocks_[number], nullptr)).reset();
    free_.push_back(number);
    return true;
  }
  void take_all_back() noexcept {
    for (std::uint32_t number = 0; number < blocks_.size(); ++number) static_cast<void>(take_back(number));
  }

 private:
  std::vector<base::Block*> blocks_;
  std::vector<std::uint32_t> free_;
};

}  // namespace sluice::worker
