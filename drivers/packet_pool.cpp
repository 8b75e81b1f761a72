#include "drivers/packet_pool.hpp"

#include <fmt/format.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <algorithm>
#include <new>

#include "drivers/mbuf_block.hpp"
#include "stack/base/log.hpp"

namespace sluice::drivers {
namespace {

static_assert(kReceiveHeadroom == RTE_PKTMBUF_HEADROOM);
static_assert(sizeof(base::Block) % RTE_MBUF_PRIV_ALIGN == 0 && alignof(base::Block) <= RTE_MBUF_PRIV_ALIGN);

// The stack behind the caches lets any thread go on while another is off its CPU; DPDK's default ring does not.
constexpr const char* kOperations = "lf_stack";

// Large enough that the shared stack is touched once in many bursts, small beside the pool: a thread's cache keeps up
// to one and a half times this from all others.
unsigned cache_size(const PoolConfig& config) {
  return std::min<std::uint32_t>(RTE_MEMPOOL_CACHE_MAX_SIZE, config.blocks / 8 / std::max(1u, config.threads));
}

// As rte_pktmbuf_pool_create_by_ops(), but without gaps where pages end. Where devices see virtual addresses, those
// gaps help nobody, cost half the memory when pages are small, and af_xdp's PMD does not count them: it would leave the
// last blocks out of what the kernel may use.
rte_mempool* make_pool(const PoolConfig& config, std::uint32_t block_bytes) {
  const bool virtual_addresses = rte_eal_iova_mode() == RTE_IOVA_VA;
  constexpr std::uint16_t kPrivate = sizeof(base::Block);
  rte_mempool* const pool = rte_mempool_create_empty(
      config.name.c_str(), config.blocks, sizeof(rte_mbuf) + kPrivate + block_bytes, cache_size(config),
      sizeof(rte_pktmbuf_pool_private), SOCKET_ID_ANY, virtual_addresses ? RTE_MEMPOOL_F_NO_IOVA_CONTIG : 0);
  if (pool == nullptr) return nullptr;
  rte_pktmbuf_pool_private of_pool{};
  of_pool.mbuf_data_room_size = static_cast<std::uint16_t>(block_bytes);
  of_pool.mbuf_priv_size = kPrivate;
  int result = rte_mempool_set_ops_byname(pool, kOperations, nullptr);
  if (result == 0) {
    rte_pktmbuf_pool_init(pool, &of_pool);
    result = rte_mempool_populate_default(pool);
  }
  if (result < 0) {
    rte_mempool_free(pool);
    rte_errno = -result;
    return nullptr;
  }
  rte_mempool_obj_iter(pool, rte_pktmbuf_init, nullptr);
  // The memory is as good for devices as any.
  if (virtual_addresses) pool->flags &= ~(RTE_MEMPOOL_F_NO_IOVA_CONTIG | RTE_MEMPOOL_F_NON_IO);
  return pool;
}

}  // namespace

PacketPool::PacketPool(const PoolConfig& config)
    : name_(config.name),
      blocks_(config.blocks),
      block_bytes_(config.block_bytes == 0 ? kDefaultBlockBytes : config.block_bytes),
      reserve_(config.reserve) {
  if (blocks_ <= reserve_ || block_bytes_ <= kReceiveHeadroom || block_bytes_ > UINT16_MAX)
    throw SetupError(
        fmt::format("pool '{}': {} blocks of {} bytes with {} in reserve make no sense; ask for more blocks "
                    "than the reserve, of {} to {} bytes",
                    config.name, blocks_, block_bytes_, reserve_, kReceiveHeadroom + 1, UINT16_MAX));
  pool_ = make_pool(config, block_bytes_);
  if (pool_ == nullptr)
    throw SetupError(
        fmt::format("pool '{}': {} blocks of {} bytes cannot be had: {}; give DPDK more memory, or ask for "
                    "fewer blocks",
                    config.name, blocks_, block_bytes_, rte_strerror(rte_errno)));
  by_index_.resize(blocks_);
  rte_mempool_obj_iter(
      pool_,
      [](rte_mempool*, void* self, void* object, unsigned index) {
        auto& pool = *static_cast<PacketPool*>(self);
        auto& mbuf = *static_cast<rte_mbuf*>(object);
        auto* const block = new (rte_mbuf_to_priv(&mbuf)) base::Block;
        block->memory = block->data = static_cast<std::byte*>(mbuf.buf_addr);
        block->capacity = pool.block_bytes_;
        block->index = index;
        block->owner = &pool;
        block->native = &mbuf;
        if (rte_eal_iova_mode() == RTE_IOVA_VA) rte_mbuf_iova_set(&mbuf, reinterpret_cast<rte_iova_t>(mbuf.buf_addr));
        pool.by_index_[index] = block;
      },
      this);
}

PacketPool::~PacketPool() {
  const std::uint32_t missing = blocks_ - unused();
  if (missing == 0) {
    rte_mempool_free(pool_);
  } else {
    base::log_debug("pool '{}': {} blocks did not come back", name_, missing);
  }
}

base::Buffer PacketPool::allocate(std::uint32_t headroom, std::uint32_t bytes) noexcept {
  if (headroom > block_bytes_ || bytes > block_bytes_ - headroom) return {};
  if (reserve_ != 0 && available() == 0) return {};
  base::Buffer buffer = allocate_for_receiving();
  if (buffer) buffer.block().data = buffer.block().memory + headroom;
  return buffer;
}

base::Buffer PacketPool::allocate_for_receiving() noexcept {
  rte_mbuf* const mbuf = rte_mbuf_raw_alloc(pool_);
  if (mbuf == nullptr) return {};
  base::Block& block = block_of(*mbuf);
  block.data = block.memory + kReceiveHeadroom;
  block.length = 0;
  block.references = 1;
  block.frame = {};
  return base::Buffer::adopt(block);
}

std::uint32_t PacketPool::available() const noexcept {
  const std::uint32_t in_common = rte_mempool_get_ops(pool_->ops_index)->get_count(pool_);
  return in_common > reserve_ ? in_common - reserve_ : 0;
}

void PacketPool::release(base::Block& block) noexcept {
  rte_mbuf_raw_free(mbuf_of(block));
}

base::Block& PacketPool::at(std::uint32_t index) noexcept {
  SLUICE_DCHECK(index < blocks_);
  return *by_index_[index];
}

std::uint32_t PacketPool::unused() const noexcept {
  return rte_mempool_avail_count(pool_);
}

}  // namespace sluice::drivers
