#include "apps/perf/load.hpp"

#include <sluice/error.hpp>

#include <string>

namespace sluice::apps {
namespace {

constexpr std::uint32_t kPart = 1 << 16;  // the most that is queued at once

}  // namespace

bool Load::send_next(Application& application) {
  const std::uint32_t size = content_.size(sequence_);
  while (offset_ < size) {
    const auto part = content_.bytes(sequence_, offset_, kPart);
    SendOptions options;
    options.unordered = content_.workload().unordered;
    options.end = offset_ + part.size() == size;
    const SendResult result =
        application.send(association_, StreamId(content_.stream(sequence_)), Ppid(sequence_), part, options);
    if (result == SendResult::would_block || result == SendResult::not_connected) return false;
    if (result != SendResult::queued)
      throw Error("the association does not take the message: send result " + std::to_string(static_cast<int>(result)));
    offset_ += static_cast<std::uint32_t>(part.size());
  }
  offset_ = 0;
  ++messages_;
  bytes_ += size;
  sequence_ = sequence_ + 1 == kSequences ? 0 : sequence_ + 1;
  return true;
}

}  // namespace sluice::apps
