#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "stack/base/buffer.hpp"

namespace sluice::base {

/// Blocks of a few fixed sizes, all made at the start from ordinary memory: for what is copied or joined and never
/// given to a device. Any thread may allocate and release; nobody ever waits for another.
class SlabBuffers final : public BufferSource {
 public:
  struct Size {
    std::uint32_t bytes = 0;   ///< of each block
    std::uint32_t blocks = 0;  ///< how many
  };
  /// In order of growing size.
  explicit SlabBuffers(const std::vector<Size>& sizes);
  SlabBuffers(const SlabBuffers&) = delete;
  SlabBuffers& operator=(const SlabBuffers&) = delete;
  /// Every block must be back.
  ~SlabBuffers() override;

  /// From the smallest size that fits and has a block left.
  Buffer allocate(std::uint32_t headroom, std::uint32_t bytes) noexcept override;
  std::uint32_t available() const noexcept override { return available_.load(std::memory_order_relaxed); }
  std::uint32_t total() const noexcept override { return total_; }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  /// The blocks of one size, and the free ones: a stack of indices, whose head carries a count that tells a head that
  /// went and came back from one that stayed.
  struct Class final : BlockOwner {
    Class(const Size& size, std::atomic<std::uint32_t>& available);

    const Size size;
    std::atomic<std::uint32_t>& available;  ///< of all sizes
    std::unique_ptr<std::byte[]> memory;
    std::unique_ptr<Block[]> blocks;
    std::unique_ptr<std::atomic<std::uint32_t>[]> next;
    alignas(64) std::atomic<std::uint64_t> head;

    Block* pop() noexcept;
    void push(Block& block) noexcept;
    void release(Block& block) noexcept override;
  };

  std::vector<std::unique_ptr<Class>> classes_;
  std::uint32_t total_ = 0;
  std::atomic<std::uint32_t> available_{0};
};

}  // namespace sluice::base
