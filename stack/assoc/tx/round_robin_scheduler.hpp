#pragma once

#include "stack/assoc/tx/stream_scheduler.hpp"

namespace sluice::assoc {

/// Round robin (RFC 8260 §3.2): streams that have something to send take turns, one message each.
class RoundRobinScheduler final : public StreamScheduler {
 public:
  void push(OutboundStream& stream, MessagePart& /*first*/) override {
    if (!stream.ready) enqueue(stream);
  }
  OutboundStream* front() const override { return first_; }
  void take() override {
    // Still marked as ready: what is pushed before done() comes takes its turn then.
    first_ = first_->next_ready;
    if (first_ == nullptr) last_ = nullptr;
  }
  void done(OutboundStream& stream) override {
    stream.ready = false;
    if (!stream.empty()) enqueue(stream);
  }

 private:
  void enqueue(OutboundStream& stream) {
    stream.ready = true;
    stream.next_ready = nullptr;
    (last_ == nullptr ? first_ : last_->next_ready) = &stream;
    last_ = &stream;
  }

  OutboundStream* first_ = nullptr;
  OutboundStream* last_ = nullptr;
};

}  // namespace sluice::assoc
