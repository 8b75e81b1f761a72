#pragma once

#include <sluice/event.hpp>

#include <vector>

namespace sluice::sim {

/// A message of which pieces came, and not yet the last one.
struct Pieces {
  bool unordered = false;
  std::uint32_t message_id = 0;
  std::vector<std::byte> bytes;

  void add(const Event& piece) {
    unordered = piece.unordered;
    message_id = piece.message_id;
    bytes.insert(bytes.end(), piece.data, piece.data + piece.length);
  }
};

/// `piece` begins a message on a stream where none has begun, or continues `begun`, the one that has.
inline bool may_come(const Event& piece, const Pieces* begun) {
  if (begun == nullptr) return piece.begin;
  return !piece.begin && piece.unordered == begun->unordered && piece.message_id == begun->message_id;
}

}  // namespace sluice::sim
