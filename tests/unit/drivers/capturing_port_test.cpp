#include "drivers/capturing_port.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "drivers/memory_wire.hpp"
#include "stack/base/seeded_random.hpp"
#include "stack/base/sim_clock.hpp"
#include "tests/unit/drivers/test_frames.hpp"

namespace sluice::drivers {
namespace {

using test::ethernet_frame;

/// Lets a CapturingPort own what belongs to a wire.
class Borrowed final : public Port {
 public:
  explicit Borrowed(Port& port) : port_(port) {}
  const PortInfo& info() const noexcept override { return port_.info(); }
  std::uint16_t receive(std::uint16_t queue, std::span<base::Buffer> out) noexcept override {
    return port_.receive(queue, out);
  }
  std::uint16_t transmit(std::uint16_t queue, std::span<base::Buffer> frames) noexcept override {
    return port_.transmit(queue, frames);
  }
  std::uint32_t transmit_room(std::uint16_t queue) noexcept override { return port_.transmit_room(queue); }
  base::BufferSource& receive_pool(std::uint16_t queue) noexcept override { return port_.receive_pool(queue); }
  LinkState link() noexcept override { return port_.link(); }
  int arm_receive_interrupt(std::uint16_t) noexcept override { return -1; }
  void disarm_receive_interrupt(std::uint16_t) noexcept override {}
  const QueueCounters& queue_counters(std::uint16_t queue) const noexcept override {
    return port_.queue_counters(queue);
  }
  DeviceCounters device_counters() noexcept override { return port_.device_counters(); }

 private:
  Port& port_;
};

TEST(CapturingPort, WritesWhatIsSentAndReceivedAndNothingThatWasRefused) {
  base::HeapBuffers heap;
  base::SimClock clock;
  base::SeededRandom random(1);
  MemoryWire wire(clock, random);
  for (std::uint8_t i = 0; i < 2; ++i) wire.add_port({.mac = test::mac(i)});
  const std::string path =
      (std::filesystem::temp_directory_path() / ("sluice-capture-" + std::to_string(getpid()))).string();
  {
    CapturingPort port(std::make_unique<Borrowed>(wire.port(0)), clock, std::chrono::seconds(100), path);
    std::array<base::Buffer, 2> frames{heap.copy_of(ethernet_frame(1, 0, 60)), heap.copy_of(ethernet_frame(1, 0, 61))};
    EXPECT_EQ(port.transmit(0, frames), 2);
    base::Buffer back = heap.copy_of(ethernet_frame(0, 1, 70));
    ASSERT_EQ(wire.port(1).transmit(0, {&back, 1}), 1);
    EXPECT_EQ(port.receive(0, frames), 1);
    EXPECT_EQ(frames[0].size(), 70u);
    wire.set_transmit_stalled(0, true);
    EXPECT_EQ(port.transmit(0, {frames.data(), 1}), 0);
    EXPECT_TRUE(frames[0]);
  }
  std::ifstream file(path + "-0.pcap", std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  std::filesystem::remove(path + "-0.pcap");
  ASSERT_EQ(bytes.size(), 24u + 3 * 16 + 60 + 61 + 70);
  std::uint32_t seconds = 0;
  std::memcpy(&seconds, &bytes[24], sizeof seconds);
  EXPECT_EQ(seconds, 101u);
}

}  // namespace
}  // namespace sluice::drivers
