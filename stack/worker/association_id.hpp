#pragma once

#include <sluice/ids.hpp>

#include "stack/endpoint/shard_table.hpp"

namespace sluice::worker {

/// What an AssocId is made of, for the stack alone: from the top, (10 bits) the owner, (24) its index there, and (30)
/// how many had that index before, from 1. Ordered by owner and index, which is how listings are paged.
struct AssociationName {
  endpoint::WorkerId worker{};
  std::uint32_t index = 0;
  std::uint32_t generation = 0;

  static constexpr std::uint32_t kMaxIndex = (1u << 24) - 1;
  static constexpr std::uint32_t kMaxGeneration = (1u << 30) - 1;
};

constexpr AssocId encode(const AssociationName& name) {
  return AssocId(std::uint64_t{name.worker.value} << 54 | std::uint64_t{name.index} << 30 | name.generation);
}

constexpr AssociationName decode(AssocId id) {
  return {endpoint::WorkerId(static_cast<std::uint16_t>(id.value >> 54)),
          static_cast<std::uint32_t>(id.value >> 30) & AssociationName::kMaxIndex,
          static_cast<std::uint32_t>(id.value) & AssociationName::kMaxGeneration};
}

/// The worker that has the association; for whoever joins applications with workers.
constexpr std::uint16_t owner_of(AssocId id) {
  return decode(id).worker.value;
}

}  // namespace sluice::worker
