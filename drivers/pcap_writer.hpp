#pragma once

#include <sluice/time.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>

namespace sluice::drivers {

/// Writes frames to a file that tcpdump and Wireshark read: pcap with nanoseconds, Ethernet. One thread's. Buffers and
/// makes system calls: for captures and traces, not for the data path in earnest.
class PcapWriter {
 public:
  /// Makes or empties `path`. Throws SetupError when it cannot be written.
  explicit PcapWriter(const std::string& path);

  /// `time` is taken as nanoseconds since the writer's epoch: virtual time as it is, and for real captures the caller
  /// adds the difference between the stack's clock and UTC. After a write error (disk full) nothing more is written.
  void write(Timestamp time, std::span<const std::byte> frame) noexcept;
  void flush() noexcept;
  std::uint64_t frames() const { return frames_; }
  /// False once something could not be written.
  bool good() const { return good_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  std::unique_ptr<std::FILE, Close> file_;
  std::uint64_t frames_ = 0;
  bool good_ = true;
};

}  // namespace sluice::drivers
