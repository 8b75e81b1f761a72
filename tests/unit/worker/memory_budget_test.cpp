// What an idle association may cost, every table included; sluice-bench-associations measures it.
#include <gtest/gtest.h>

#include "stack/assoc/pools.hpp"
#include "stack/endpoint/directory.hpp"
#include "stack/worker/association_record.hpp"

namespace sluice::worker {
namespace {

constexpr std::size_t kFirstPathBudget = 1536;
constexpr std::size_t kFurtherPathBudget = 256;

/// Of a table with three slots for two records at most.
constexpr std::size_t in_table(std::size_t slot) {
  return slot * 3 / 2;
}
constexpr std::size_t kStoreSlot = 16;      // AssociationStore: a pointer and a generation
constexpr std::size_t kTagSlot = 16;        // TagTable: a pointer and a tag
constexpr std::size_t kDirectorySlot = 24;  // Directory: an address, two ports and a tag

constexpr std::size_t kFurtherPath = sizeof(assoc::PathBlock<2>) - sizeof(assoc::PathBlock<1>) +
                                     sizeof(assoc::Rfc9260Controller) + in_table(kDirectorySlot);
/// With one path, after it sent on one stream and received.
constexpr std::size_t kAssociation = sizeof(AssociationRecord) + sizeof(assoc::PathBlock<1>) +
                                     sizeof(assoc::Rfc9260Controller) + in_table(kDirectorySlot) +
                                     sizeof(assoc::OutboundStream) + sizeof(assoc::PinLedger) + kStoreSlot +
                                     in_table(kTagSlot);

TEST(MemoryBudget, AnIdleAssociationKeepsIt) {
  RecordProperty("bytes", static_cast<int>(kAssociation));
  EXPECT_LE(kAssociation, kFirstPathBudget);
}

TEST(MemoryBudget, AFurtherPathKeepsIt) {
  RecordProperty("bytes", static_cast<int>(kFurtherPath));
  EXPECT_LE(kFurtherPath, kFurtherPathBudget);
}

}  // namespace
}  // namespace sluice::worker
