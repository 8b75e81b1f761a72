#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sluice::apps {

/// What a load is made of. Both sides derive every message's size and bytes from its sequence number alone, which
/// travels as the PPID, so that each message can be checked wherever it arrives.
struct Workload {
  std::uint64_t seed = 1;
  std::uint32_t min_size = 64;  ///< bytes of a message, at least 1
  std::uint32_t max_size = 64;
  std::uint16_t streams = 1;
  bool unordered = false;
};

/// Sequence numbers stay below this; the PPIDs above are control messages.
inline constexpr std::uint32_t kSequences = 0xffff0000;

/// The sizes and bytes of the messages of a workload.
class Content {
 public:
  explicit Content(const Workload& workload);

  const Workload& workload() const { return workload_; }
  std::uint32_t size(std::uint32_t sequence) const;
  std::uint16_t stream(std::uint32_t sequence) const {
    return static_cast<std::uint16_t>(sequence % workload_.streams);
  }
  /// The bytes of message `sequence` from `offset` on: as many as lie together, at least one and at most `most`.
  std::span<const std::byte> bytes(std::uint32_t sequence, std::uint32_t offset, std::uint32_t most) const;
  /// `bytes` are those of message `sequence` from `offset` on.
  bool matches(std::uint32_t sequence, std::uint32_t offset, std::span<const std::byte> bytes) const;

 private:
  Workload workload_;
  std::vector<std::byte> noise_;
};

}  // namespace sluice::apps
