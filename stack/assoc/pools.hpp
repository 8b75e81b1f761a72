#pragma once

#include "stack/assoc/congestion/rfc9260_controller.hpp"
#include "stack/assoc/local_addresses.hpp"
#include "stack/assoc/path_block.hpp"
#include "stack/assoc/rx/inbound_streams.hpp"
#include "stack/assoc/rx/pin_ledger.hpp"
#include "stack/assoc/rx/tsn_map_pool.hpp"
#include "stack/assoc/tx/message_part.hpp"
#include "stack/assoc/tx/outbound_stream.hpp"
#include "stack/assoc/tx/sent_chunk.hpp"
#include "stack/assoc/tx/stream_page.hpp"
#include "stack/assoc/tx/waiting_senders.hpp"
#include "stack/base/object_pool.hpp"

namespace sluice::assoc {

/// How many of each there may be on one worker; the defaults suit some ten thousand associations. What a full pool
/// refuses is said at each.
struct PoolLimits {
  std::uint32_t message_parts = 1 << 20;           ///< messages queued or unacknowledged; beyond: send() would block
  std::uint32_t outbound_streams = 1 << 20;        ///< streams sent on; beyond: send() would block
  std::uint32_t stream_pages = 1 << 18;            ///< tables of them, of 16 streams each; beyond: send() would block
  std::uint32_t sent_segments = 1 << 17;           ///< 32 DATA chunks in flight each; beyond: new data waits
  std::uint32_t congestion_controllers = 1 << 20;  ///< one a path; beyond: the path is not opened
  std::uint32_t associations = 1 << 20;            ///< that have paths; beyond: the association does not open
  // Beyond any of these a DATA chunk that needs one is dropped, not acknowledged, and counted as refused.
  std::uint32_t pin_ledgers = 1 << 20;            ///< one for each association that ever received data
  std::uint32_t held_chunks = 1 << 20;            ///< chunks that wait for others or for the application
  std::uint32_t held_pages = 1 << 16;             ///< tables of chunks out of order, of 64 TSNs each
  std::uint32_t tsn_maps = 1 << 15;               ///< associations that have a gap, at once
  std::uint32_t inbound_stream_leaves = 1 << 17;  ///< 64 inbound streams beyond the first four
};

/// What all associations of one worker make their growing parts from. Memory comes as it is first needed.
struct Pools {
  explicit Pools(const PoolLimits& limits = {})
      : message_parts(limits.message_parts),
        outbound_streams(limits.outbound_streams),
        stream_pages(limits.stream_pages),
        sent_segments(limits.sent_segments),
        congestion_controllers(limits.congestion_controllers),
        path_blocks(limits.associations),
        local_addresses(limits.associations),
        pin_ledgers(limits.pin_ledgers),
        held_chunks(limits.held_chunks),
        held_pages(limits.held_pages),
        tsn_maps(limits.tsn_maps),
        inbound_stream_leaves(limits.inbound_stream_leaves),
        inbound_stream_branches(limits.inbound_stream_leaves),
        inbound_stream_roots(limits.inbound_stream_leaves) {}

  base::ObjectPool<MessagePart> message_parts;
  WaitingSenders waiting_senders;
  base::ObjectPool<OutboundStream> outbound_streams;
  base::ObjectPool<StreamPage> stream_pages;
  base::ObjectPool<SentSegment> sent_segments;
  base::ObjectPool<Rfc9260Controller> congestion_controllers;
  PathBlocks path_blocks;
  LocalAddresses local_addresses;
  base::ObjectPool<PinLedger> pin_ledgers;
  base::ObjectPool<HeldChunk> held_chunks;
  base::ObjectPool<HeldPage> held_pages;
  TsnMapPool tsn_maps;
  base::ObjectPool<InboundStreamLeaf> inbound_stream_leaves;
  base::ObjectPool<InboundStreamBranch> inbound_stream_branches;
  base::ObjectPool<InboundStreamRoot> inbound_stream_roots;
  /// Where a SACK's gap ack blocks are put together, as many as there can be, and those of a received one are sorted.
  std::array<wire::GapAckBlock, kTsnWindow / 2> gap_blocks;
};

}  // namespace sluice::assoc
