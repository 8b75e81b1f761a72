#include "tests/unit/drivers/dpdk_environment.hpp"

#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>

#include "stack/base/arrival.hpp"

namespace sluice::drivers::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 5s;

template <class Done>
bool wait_until(Done done) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(100us);
  }
  return true;
}

std::unique_ptr<Eal> g_eal;

/// Stops DPDK after all tests, while its libraries are still there.
class DpdkEnvironment : public testing::Environment {
 public:
  void TearDown() override { g_eal.reset(); }
};

[[maybe_unused]] const auto* const kEnvironment = testing::AddGlobalTestEnvironment(new DpdkEnvironment);

}  // namespace

const Eal& eal() {
  if (!g_eal) {
    EalConfig config;
    config.program = "unit-drivers-dpdk";
    config.huge_pages = HugePages::no;
    config.memory_megabytes = 192;
    config.telemetry = false;
    config.log_level = base::LogLevel::off;
    g_eal = std::make_unique<Eal>(config);
  }
  return *g_eal;
}

std::unique_ptr<PacketPool> make_pool(std::uint32_t blocks, std::uint32_t block_bytes, std::uint32_t reserve) {
  static int count = 0;
  eal();
  PoolConfig config;
  config.name = "test" + std::to_string(++count);
  config.blocks = blocks;
  config.block_bytes = block_bytes;
  config.reserve = reserve;
  return std::make_unique<PacketPool>(config);
}

std::unique_ptr<Port> open_one(const PortConfig& config, PacketPool& pool) {
  std::array<PacketPool*, 1> pools{&pool};
  return open_port(eal(), config, pools);
}

base::Buffer frame_in(base::BufferSource& pool, const std::vector<std::byte>& bytes) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  base::Buffer frame = pool.allocate(base::kLowerHeadroom, size);
  if (frame) std::memcpy(frame.append(size), bytes.data(), size);
  return frame;
}

std::vector<base::Buffer> receive_all(Port& port, std::size_t count, std::uint16_t queue) {
  std::vector<base::Buffer> frames;
  wait_until([&] {
    std::array<base::Buffer, kMaxBurst> burst;
    const std::uint16_t n = port.receive(queue, burst);
    for (std::uint16_t i = 0; i < n; ++i) frames.push_back(std::move(burst[i]));
    return frames.size() >= count;
  });
  return frames;
}

bool wait_for_link(Port& port, bool up) {
  return wait_until([&] { return port.link().up == up; });
}

std::string error_of(const PortConfig& config) {
  const auto pool = make_pool();
  try {
    open_one(config, *pool);
  } catch (const SetupError& error) {
    return error.what();
  }
  return {};
}

}  // namespace sluice::drivers::test
