#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "drivers/setup_error.hpp"
#include "stack/base/buffer.hpp"

struct rte_mempool;

namespace sluice::drivers {

struct PoolConfig {
  std::string name;               ///< at most 20 characters, unique in the process
  std::uint32_t blocks = 8192;    ///< how many; rounded up to what makes the memory fit best
  std::uint32_t block_bytes = 0;  ///< of each: headroom and contents; 0: kDefaultBlockBytes
  std::uint32_t reserve = 0;      ///< blocks that available() keeps back: those a receive queue needs for its refill
  std::uint32_t threads = 1;      ///< that will allocate or release: each has a cache, all of which take up to a fifth
};

/// Contents of received frames begin this far into their block.
inline constexpr std::uint32_t kReceiveHeadroom = 128;

/// Bytes that a port of `mtu` sets aside for one frame: the frame itself, what af_packet's ring puts before it, and
/// the granularity that NICs and rings like.
constexpr std::uint32_t frame_slot_bytes(std::uint16_t mtu) {
  constexpr std::uint32_t kGranularity = 1024;
  constexpr std::uint32_t kOverhead = 128;
  return (mtu + kOverhead + kGranularity - 1) / kGranularity * kGranularity;
}

/// Block size for frames of `mtu`, received in one piece by any kind of port, or built by a worker.
constexpr std::uint32_t block_bytes_for_mtu(std::uint16_t mtu) {
  return kReceiveHeadroom + frame_slot_bytes(mtu);
}

inline constexpr std::uint32_t kDefaultBlockBytes = block_bytes_for_mtu(1500);

/// A pool of blocks in DPDK memory: each is an mbuf, its Block standing in the mbuf's private area. Blocks may be
/// allocated and released by any registered thread (see ThreadRegistration): each has its own cache, and behind the
/// caches stands a lock-free stack, so that a thread that the kernel takes off its CPU never holds up another.
class PacketPool final : public base::BufferSource, public base::BlockOwner {
 public:
  /// Throws SetupError when there is not enough memory.
  explicit PacketPool(const PoolConfig& config);
  PacketPool(const PacketPool&) = delete;
  PacketPool& operator=(const PacketPool&) = delete;
  /// All blocks should be back, also from ports: close those first. The memory of a pool some of whose blocks a device
  /// never gave back stays as it is until the process ends.
  ~PacketPool() override;

  /// Empty also when only the reserve is left.
  base::Buffer allocate(std::uint32_t headroom, std::uint32_t bytes) noexcept override;
  /// Blocks that may still be held by whoever likes, caches not counted: what is out, and the reserve, are taken off.
  /// When it is 0, copy what must wait elsewhere, or drop it: the reserve is there for receiving.
  std::uint32_t available() const noexcept override;
  std::uint32_t total() const noexcept override { return blocks_; }
  void release(base::Block& block) noexcept override;

  const std::string& name() const { return name_; }
  /// Bytes of each block.
  std::uint32_t block_bytes() const { return block_bytes_; }
  /// The block whose Block::index is `index`, which is below total().
  base::Block& at(std::uint32_t index) noexcept;
  /// Blocks that are not in use, those in caches and in the reserve included. Slow: for statistics and tests.
  std::uint32_t unused() const noexcept;

  /// As allocate(), but from the reserve too, with room for block_bytes() - kReceiveHeadroom: for ports, which put
  /// there what they received.
  base::Buffer allocate_for_receiving() noexcept;
  /// For the ports of this room.
  rte_mempool* native() const { return pool_; }

 private:
  const std::string name_;
  rte_mempool* pool_ = nullptr;
  std::uint32_t blocks_ = 0;
  std::uint32_t block_bytes_ = 0;
  std::uint32_t reserve_ = 0;
  std::vector<base::Block*> by_index_;
};

}  // namespace sluice::drivers
