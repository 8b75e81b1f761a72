#include "drivers/pcap_writer.hpp"

#include <cerrno>
#include <cstring>

#include "drivers/setup_error.hpp"

namespace sluice::drivers {
namespace {

// The file's numbers are in the writer's byte order; readers tell from the first one.
struct FileHeader {
  std::uint32_t magic = 0xa1b23c4d;  // nanoseconds
  std::uint16_t major = 2;
  std::uint16_t minor = 4;
  std::int32_t zone = 0;
  std::uint32_t accuracy = 0;
  std::uint32_t longest = 65535;
  std::uint32_t link_type = 1;  // Ethernet
};
static_assert(sizeof(FileHeader) == 24);

struct RecordHeader {
  std::uint32_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  std::uint32_t captured = 0;
  std::uint32_t length = 0;
};
static_assert(sizeof(RecordHeader) == 16);

}  // namespace

PcapWriter::PcapWriter(const std::string& path) : file_(std::fopen(path.c_str(), "wb")) {
  const FileHeader header;
  if (!file_ || std::fwrite(&header, sizeof header, 1, file_.get()) != 1)
    throw SetupError("capture file '" + path + "' cannot be written: " + std::strerror(errno) +
                     "; name a file in a directory that exists and that you may write to");
}

void PcapWriter::write(Timestamp time, std::span<const std::byte> frame) noexcept {
  if (!good_) return;
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t when = time.time_since_epoch().count();
  RecordHeader header;
  header.seconds = static_cast<std::uint32_t>(when / kSecond);
  header.nanoseconds = static_cast<std::uint32_t>(when % kSecond);
  header.captured = header.length = static_cast<std::uint32_t>(frame.size());
  good_ = std::fwrite(&header, sizeof header, 1, file_.get()) == 1 &&
          std::fwrite(frame.data(), 1, frame.size(), file_.get()) == frame.size();
  if (good_) ++frames_;
}

void PcapWriter::flush() noexcept {
  if (std::fflush(file_.get()) != 0) good_ = false;
}

}  // namespace sluice::drivers
