#pragma once

#include "stack/assoc/congestion/rfc9260_controller.hpp"
#include "stack/assoc/path_block.hpp"
#include "stack/assoc/tx/message_part.hpp"
#include "stack/assoc/tx/outbound_stream.hpp"
#include "stack/assoc/tx/sent_chunk.hpp"
#include "stack/assoc/tx/stream_page.hpp"
#include "stack/base/intrusive_list.hpp"
#include "stack/base/object_pool.hpp"

namespace sluice::assoc {

class Sender;

/// How many of each there may be on one worker; the defaults suit some ten thousand associations. What a full pool
/// refuses is said at each.
struct PoolLimits {
  std::uint32_t message_parts = 1 << 20;           ///< messages queued or unacknowledged; beyond: send() would block
  std::uint32_t outbound_streams = 1 << 20;        ///< streams sent on; beyond: send() would block
  std::uint32_t stream_pages = 1 << 18;            ///< tables of them, of 16 streams each; beyond: send() would block
  std::uint32_t sent_segments = 1 << 17;           ///< 32 DATA chunks in flight each; beyond: new data waits
  std::uint32_t congestion_controllers = 1 << 20;  ///< one a path; beyond: the path is not opened
  std::uint32_t associations = 1 << 20;            ///< that have paths; beyond: the association does not open
};

/// What all associations of one worker make their growing parts from. Memory comes as it is first needed.
struct Pools {
  explicit Pools(const PoolLimits& limits = {})
      : message_parts(limits.message_parts),
        outbound_streams(limits.outbound_streams),
        stream_pages(limits.stream_pages),
        sent_segments(limits.sent_segments),
        congestion_controllers(limits.congestion_controllers),
        path_blocks(limits.associations) {}

  base::ObjectPool<MessagePart> message_parts;
  /// Those that found `message_parts` or what a stream needs empty and had nothing of their own to wait for.
  base::IntrusiveList<Sender> waiting_senders;
  base::ObjectPool<OutboundStream> outbound_streams;
  base::ObjectPool<StreamPage> stream_pages;
  base::ObjectPool<SentSegment> sent_segments;
  base::ObjectPool<Rfc9260Controller> congestion_controllers;
  PathBlocks path_blocks;
};

}  // namespace sluice::assoc
