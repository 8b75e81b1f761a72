#pragma once

#include "stack/base/buffer.hpp"

namespace sluice::base {

/// Blocks of exactly the asked size from the heap, so that AddressSanitizer sees one byte too far: for the unit, sim
/// and fuzz tiers, never on a production data path. Counts what is out, and refuses past a limit that tests set.
class HeapBuffers final : public BufferSource, public BlockOwner {
 public:
  explicit HeapBuffers(std::uint32_t limit = UINT32_MAX) : limit_(limit) {}
  HeapBuffers(const HeapBuffers&) = delete;
  HeapBuffers& operator=(const HeapBuffers&) = delete;
  ~HeapBuffers() override;

  Buffer allocate(std::uint32_t headroom, std::uint32_t bytes) noexcept override;
  /// A buffer whose contents are a copy of `bytes`, with nothing around them.
  Buffer copy_of(std::span<const std::byte> bytes) noexcept;
  std::uint32_t available() const noexcept override { return out_ < limit_ ? limit_ - out_ : 0; }
  std::uint32_t total() const noexcept override { return limit_; }
  /// Makes a block of `from` one of ours. False, and nothing changed, when the limit forbids it.
  bool take_over(Block& block, HeapBuffers& from) noexcept;
  void set_limit(std::uint32_t limit) { limit_ = limit; }
  /// Blocks given out and not yet back.
  std::uint32_t out() const { return out_; }
  void release(Block& block) noexcept override;

 private:
  std::uint32_t limit_;
  std::uint32_t out_ = 0;
};

}  // namespace sluice::base
