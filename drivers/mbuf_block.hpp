#pragma once

#include <rte_mbuf.h>

#include "stack/base/buffer.hpp"

namespace sluice::drivers {

/// Each mbuf of a PacketPool has its Block in its private area.
inline base::Block& block_of(rte_mbuf& mbuf) {
  return *static_cast<base::Block*>(rte_mbuf_to_priv(&mbuf));
}

/// The mbuf whose block this is; null when the block is no PacketPool's.
inline rte_mbuf* mbuf_of(base::Block& block) {
  return static_cast<rte_mbuf*>(block.native);
}

}  // namespace sluice::drivers
