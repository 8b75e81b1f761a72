#pragma once

#include <sluice/event.hpp>

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "apps/perf/content.hpp"

namespace sluice::apps {

/// What was found about the messages of one association.
struct Findings {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t corrupted = 0;   ///< wrong bytes, size, stream or sequence number
  std::uint64_t misordered = 0;  ///< not in order within its stream
  std::uint64_t duplicated = 0;

  void add(const Findings& other);
};

/// Checks every message of one association: its bytes, size, stream, order, and that none comes twice.
class Checker {
 public:
  explicit Checker(const Content& content);

  /// Takes a piece of a message. True when the message is whole now.
  bool take(const Event& event);
  const Findings& findings() const { return findings_; }

 private:
  void complete(const Event& event, bool right);
  /// Counts an unordered message that came before. False: there can be no such message yet.
  bool note_arrival(std::uint32_t sequence);

  const Content& content_;
  Findings findings_;
  std::vector<std::uint32_t> next_;  // by stream: the sequence number that is due
  std::vector<bool> arrived_;        // unordered: around the sequence number that would be due in order
  struct Partial {
    std::uint32_t offset = 0;
    bool right = true;
  };
  std::unordered_map<std::uint64_t, Partial> partial_;
};

}  // namespace sluice::apps
