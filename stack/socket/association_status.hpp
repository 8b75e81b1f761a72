#pragma once

#include <sluice/status.hpp>

#include "stack/assoc/snapshot.hpp"

namespace sluice::socket {

/// The public form of what an owner wrote down.
AssociationStatus association_status(const assoc::Snapshot& snapshot, std::uint16_t worker);

}  // namespace sluice::socket
