#pragma once

#include "stack/assoc/tx/stream_scheduler.hpp"

namespace sluice::assoc {

/// First come, first served (RFC 8260 §3.1): messages leave in the order in which they were given to send, whatever
/// their stream. The default.
class FirstComeScheduler final : public StreamScheduler {
 public:
  void push(OutboundStream& /*stream*/, MessagePart& first) override {
    first.next_arrival = nullptr;
    (last_ == nullptr ? first_ : last_->next_arrival) = &first;
    last_ = &first;
  }
  OutboundStream* front() const override { return first_ == nullptr ? nullptr : first_->stream; }
  void take() override {
    first_ = first_->next_arrival;
    if (first_ == nullptr) last_ = nullptr;
  }
  void done(OutboundStream& /*stream*/) override {}

 private:
  MessagePart* first_ = nullptr;
  MessagePart* last_ = nullptr;
};

}  // namespace sluice::assoc
