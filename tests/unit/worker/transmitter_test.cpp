#include "stack/worker/transmitter.hpp"

#include <gtest/gtest.h>

#include "drivers/memory_wire.hpp"
#include "stack/base/heap_buffers.hpp"
#include "stack/base/seeded_random.hpp"
#include "stack/base/sim_clock.hpp"

namespace sluice::worker {
namespace {

class TransmitterTest : public testing::Test {
 protected:
  /// Sends frames until one is refused; how many were not.
  std::uint32_t send_all() {
    std::uint32_t sent = 0;
    while (sent < 100'000 && transmitter.send_frame(0, pool.allocate(0, 60))) ++sent;
    return sent;
  }

  base::SimClock clock;
  base::SeededRandom random{1};
  drivers::MemoryWire wire{clock, random};
  base::HeapBuffers pool;
  Counters counters;
  Transmitter transmitter{{{&wire.add_port({}), 0}}, pool, counters};
};

TEST_F(TransmitterTest, APortThatIsDownKeepsABurstAtMost) {
  const std::uint32_t staged = send_all();
  EXPECT_EQ(pool.out(), staged);
  EXPECT_GT(staged, drivers::kMaxBurst);
  transmitter.follow_port(0, false);
  EXPECT_EQ(pool.out(), drivers::kMaxBurst);
  EXPECT_EQ(counters.drop_port_down, staged - drivers::kMaxBurst);
  EXPECT_EQ(send_all(), 0u);
  transmitter.follow_port(0, true);
  EXPECT_EQ(send_all(), staged - drivers::kMaxBurst);
}

}  // namespace
}  // namespace sluice::worker
