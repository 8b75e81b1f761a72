#pragma once

#include <sluice/ids.hpp>

#include <array>

#include "stack/base/object_pool.hpp"
#include "stack/base/serial.hpp"

namespace sluice::assoc {

/// What is known of one stream from the peer.
struct InboundStream {
  Ssn next_ssn;                       ///< of the ordered message to deliver next (RFC 9260 §6.5)
  std::uint32_t next_message_id = 0;  ///< for the next message delivered, ordered or not
};

/// Sixty-four streams, and thirty-two such leaves, of an InboundStreams.
struct InboundStreamLeaf {
  std::array<InboundStream, 64> streams;
};
struct InboundStreamBranch {
  std::array<InboundStreamLeaf*, 32> leaves{};
};
struct InboundStreamRoot {
  std::array<InboundStreamBranch*, 32> branches{};
};

struct Pools;

/// The streams from the peer. The lowest few are in place, others are made as they are first used, so that memory
/// follows the streams that are used and not the number that was negotiated.
class InboundStreams {
 public:
  explicit InboundStreams(Pools& pools) : pools_(pools) {}
  InboundStreams(const InboundStreams&) = delete;
  InboundStreams& operator=(const InboundStreams&) = delete;
  ~InboundStreams() { reset(0); }

  /// All streams begin anew; `count` were negotiated.
  void reset(std::uint16_t count);
  std::uint16_t count() const { return count_; }
  /// The state of `stream`, which is below count(). Null: no memory for it.
  InboundStream* find(StreamId stream) {
    return stream.value < kInPlace ? &first_[stream.value] : find_deep(stream.value);
  }

 private:
  static constexpr std::uint16_t kInPlace = 4;

  InboundStream* find_deep(std::uint16_t stream);

  Pools& pools_;
  InboundStreamRoot* root_ = nullptr;
  std::uint16_t count_ = 0;
  std::array<InboundStream, kInPlace> first_;
};

}  // namespace sluice::assoc
