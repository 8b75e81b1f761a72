#include "apps/perf/checker.hpp"

namespace sluice::apps {

void Findings::add(const Findings& other) {
  messages += other.messages;
  bytes += other.bytes;
  corrupted += other.corrupted;
  misordered += other.misordered;
  duplicated += other.duplicated;
}

Checker::Checker(const Content& content) : content_(content), next_(content.workload().streams) {
  for (std::size_t i = 0; i < next_.size(); ++i) next_[i] = static_cast<std::uint32_t>(i);
}

bool Checker::take(const Event& event) {
  const std::uint32_t sequence = event.ppid.value;
  findings_.bytes += event.length;
  if (event.begin && event.end) {
    complete(event, event.length == content_.size(sequence) && content_.matches(sequence, 0, event.bytes()));
    return true;
  }
  const std::uint64_t key =
      std::uint64_t{event.unordered} << 48 | std::uint64_t{event.stream.value} << 32 | event.message_id;
  Partial& partial = partial_[key];
  partial.right = partial.right && event.begin == (partial.offset == 0) &&
                  content_.matches(sequence, partial.offset, event.bytes());
  partial.offset += event.length;
  if (!event.end) return false;
  const bool right = partial.right && partial.offset == content_.size(sequence);
  partial_.erase(key);
  complete(event, right);
  return true;
}

void Checker::complete(const Event& event, bool right) {
  const std::uint32_t sequence = event.ppid.value;
  const std::uint16_t stream = content_.stream(sequence);
  ++findings_.messages;
  if (!right || event.stream.value != stream || event.unordered != content_.workload().unordered) ++findings_.corrupted;
  if (!event.unordered) {
    if (sequence != next_[stream]) ++findings_.misordered;
    next_[stream] = sequence + content_.workload().streams;
    if (next_[stream] >= kSequences) next_[stream] = stream;
    return;  // in order means not twice
  }
  const std::size_t word = sequence / 64;
  if (word >= arrived_.size()) arrived_.resize(word + word / 2 + 1024);
  const std::uint64_t bit = std::uint64_t{1} << sequence % 64;
  if ((arrived_[word] & bit) != 0) ++findings_.duplicated;
  arrived_[word] |= bit;
}

}  // namespace sluice::apps
