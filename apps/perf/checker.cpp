#include "apps/perf/checker.hpp"

namespace sluice::apps {
namespace {

/// How far an unordered message may be from its place in the order in which all were sent: a SACK can tell of 65535
/// chunks beyond the first that is missing (RFC 9260 §3.3.4), and an answer went two ways.
constexpr std::uint64_t kMostAstray = 1 << 17;
constexpr std::uint64_t kPlaces = 2 * kMostAstray;  // so far ahead or behind

}  // namespace

void Findings::add(const Findings& other) {
  messages += other.messages;
  bytes += other.bytes;
  corrupted += other.corrupted;
  misordered += other.misordered;
  duplicated += other.duplicated;
}

Checker::Checker(const Content& content)
    : content_(content), next_(content.workload().streams), arrived_(content.workload().unordered ? kPlaces : 0) {
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
  right = right && event.stream.value == stream && event.unordered == content_.workload().unordered;
  if (event.unordered) {
    // Where none should be unordered, its number may be any: it has no place.
    if (content_.workload().unordered && !note_arrival(sequence)) right = false;
  } else {
    if (sequence != next_[stream]) ++findings_.misordered;
    next_[stream] = sequence + content_.workload().streams;
    if (next_[stream] >= kSequences) next_[stream] = stream;  // in order means not twice
  }
  if (!right) ++findings_.corrupted;
}

bool Checker::note_arrival(std::uint32_t sequence) {
  const std::uint64_t due = findings_.messages - 1;
  // Its place among all messages, of which each kSequences bear the same numbers again.
  std::uint64_t place = due - due % kSequences + sequence;
  if (place + kSequences / 2 < due) place += kSequences;
  if (place > due + kSequences / 2 && place >= kSequences) place -= kSequences;
  arrived_[(due + kMostAstray - 1) % kPlaces] = false;  // the place that is in reach from now on
  if (place >= due + kMostAstray) return false;
  auto arrived = arrived_[place % kPlaces];
  if (place + kMostAstray < due || arrived)
    ++findings_.duplicated;
  else
    arrived = true;
  return true;
}

}  // namespace sluice::apps
