#include "stack/wire/crc32c.hpp"

#include <cstring>

#include "stack/base/check.hpp"
#include "stack/wire/crc32c_kernels.hpp"

namespace sluice::wire {
namespace {

struct Usable {
  std::array<const Crc32c*, 4> kernels{};
  std::size_t count = 0;
  void add(const Crc32c& kernel) { kernels[count++] = &kernel; }
};

Usable find_usable() {
  Usable found;
  found.add(crc32c_portable);
#ifdef __x86_64__
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("sse4.2")) return found;
  const bool pclmul = __builtin_cpu_supports("pclmul") != 0;
  // AMD starts a carry-less multiplication only every few cycles, so that three chains of crc32q overtake it there.
  const bool slow_pclmul = __builtin_cpu_is("amd") != 0;
  if (pclmul && slow_pclmul) found.add(crc32c_pclmul);
  found.add(crc32c_sse42);
  if (!pclmul) return found;
  if (!slow_pclmul) found.add(crc32c_pclmul);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("vpclmulqdq"))
    found.add(crc32c_vpclmul);
#endif
  return found;
}

const Usable& usable() {
  static const Usable found = find_usable();
  return found;
}

base::Checksum verdict(std::span<const std::byte> packet, std::uint32_t right) {
  std::uint32_t found;
  std::memcpy(&found, packet.data() + kChecksumOffset, sizeof found);
  if (found == right) return base::Checksum::good;
  return found == 0 ? base::Checksum::zero : base::Checksum::bad;
}

}  // namespace

const Crc32c crc32c_kernel = *crc32c_kernels().back();

std::span<const Crc32c* const> crc32c_kernels() {
  return {usable().kernels.data(), usable().count};
}

base::Checksum crc32c_verify(std::span<const std::byte> packet) {
  if (packet.size() < kChecksumEnd) return base::Checksum::bad;
  return verdict(packet, crc32c_kernel.packet(packet.data(), packet.size()));
}

void crc32c_verify(std::span<const std::span<const std::byte>> packets, base::Checksum* verdicts) {
  constexpr std::size_t kAtOnce = 64;
  while (!packets.empty()) {
    std::size_t n = 0;  // packets from the front of which each has a checksum field
    while (n < packets.size() && n < kAtOnce && packets[n].size() >= kChecksumEnd) ++n;
    std::uint32_t right[kAtOnce];
    crc32c_kernel.packets(packets.first(n), right);
    for (std::size_t i = 0; i < n; ++i) *verdicts++ = verdict(packets[i], right[i]);
    packets = packets.subspan(n);
    if (n < kAtOnce && !packets.empty()) {
      *verdicts++ = base::Checksum::bad;
      packets = packets.subspan(1);
    }
  }
}

void crc32c_fill(std::span<std::byte> packet) {
  SLUICE_CHECK(packet.size() >= kChecksumEnd);
  const std::uint32_t checksum = crc32c_kernel.packet(packet.data(), packet.size());
  std::memcpy(packet.data() + kChecksumOffset, &checksum, sizeof checksum);
}

}  // namespace sluice::wire
