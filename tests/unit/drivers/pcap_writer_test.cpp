#include "drivers/pcap_writer.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "drivers/setup_error.hpp"

namespace sluice::drivers {
namespace {

TEST(PcapWriter, WritesNanosecondRecords) {
  const auto path = std::filesystem::temp_directory_path() / ("sluice-pcap-" + std::to_string(getpid()));
  const std::vector<std::byte> frame(60, std::byte{0x5a});
  {
    PcapWriter writer(path.string());
    writer.write(Timestamp(std::chrono::seconds(3) + std::chrono::nanoseconds(7)), frame);
    EXPECT_EQ(writer.frames(), 1u);
    EXPECT_TRUE(writer.good());
  }
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  std::filesystem::remove(path);
  ASSERT_EQ(bytes.size(), 24u + 16u + 60u);
  std::uint32_t words[10];
  std::memcpy(words, bytes.data(), sizeof words);
  EXPECT_EQ(words[0], 0xa1b23c4du);
  EXPECT_EQ(words[5], 1u);   // Ethernet
  EXPECT_EQ(words[6], 3u);   // seconds
  EXPECT_EQ(words[7], 7u);   // nanoseconds
  EXPECT_EQ(words[8], 60u);  // captured
  EXPECT_EQ(words[9], 60u);  // on the wire
  EXPECT_EQ(bytes[40], 0x5a);
}

TEST(PcapWriter, SaysWhichFileCannotBeWritten) {
  try {
    PcapWriter writer("/nonexistent/trace.pcap");
    FAIL();
  } catch (const SetupError& error) {
    EXPECT_NE(std::string(error.what()).find("/nonexistent/trace.pcap"), std::string::npos);
  }
}

}  // namespace
}  // namespace sluice::drivers
