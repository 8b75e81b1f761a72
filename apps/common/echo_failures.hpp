#pragma once

#include <sluice/application.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace sluice::apps {

/// Why a message could not be sent back, in words.
const char* text_of(SendResult result);
/// The same, of what a send_failed event tells of.
const char* failure_text(const Event& failed);

/// Counts the messages that could not be sent back, by the reason. Several threads may count and read.
class EchoFailures {
 public:
  void add(SendResult why) { counts_[static_cast<std::size_t>(why)].fetch_add(1, std::memory_order_relaxed); }
  /// The same, of a send_failed event: behind rings that is where some are told of.
  void add(const Event& failed);
  /// How many somebody waits for: a peer that goes before its echoes come does not.
  std::uint64_t missed() const;
  /// One sentence for each reason that there was.
  std::vector<std::string> sentences() const;

 private:
  static constexpr std::size_t kResults = static_cast<std::size_t>(SendResult::wrong_part) + 1;

  std::array<std::atomic<std::uint64_t>, kResults> counts_{};
};

}  // namespace sluice::apps
