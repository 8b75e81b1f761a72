#include "stack/assoc/rx/receive_window.hpp"

#include <algorithm>

namespace sluice::assoc {
namespace {

constexpr std::uint64_t kUnit = 1 << 16;
/// The peer's window arithmetic and ours are 32 bits wide and signed in places.
constexpr std::uint32_t kLargest = 1U << 30;
/// Packets' worth of the pin limit that is kept for what is on its way when the window closes.
constexpr std::uint64_t kLastBlocks = 4;

}  // namespace

ReceiveWindow::ReceiveWindow(const Parameters& parameters)
    : size_(std::min(parameters.receive_window, kLargest)),
      pin_limit_(std::max<std::uint64_t>(parameters.pin_limit, 1)),
      step_(std::min<std::uint32_t>(size_ / 2, parameters.path_mtu_max)),
      edge_(size_) {
  // The last of what was promised comes in a packet that pins a block whole.
  const std::uint64_t limit =
      pin_limit_ - std::min<std::uint64_t>(pin_limit_ / 4, kLastBlocks * parameters.path_mtu_max);
  scale_ =
      static_cast<std::uint32_t>(std::max(kUnit * 2 / 3, std::min<std::uint64_t>(kUnit * size_ / limit, 1U << 31)));
  half_ = kUnit * (size_ / 2) / scale_;
}

std::uint32_t ReceiveWindow::free(std::uint64_t pinned) const {
  const std::uint64_t charge = pinned * scale_ / kUnit;
  return charge >= size_ ? 0 : size_ - static_cast<std::uint32_t>(charge);
}

std::uint32_t ReceiveWindow::to_advertise(std::uint64_t pinned) const {
  const std::uint32_t available = free(pinned);
  const std::uint32_t left = promised();
  return available >= left + step_ || available >= size_ / 2 ? available : std::min(available, left);
}

bool ReceiveWindow::update_due(std::uint64_t pinned) const {
  const std::uint32_t available = free(pinned);
  const std::uint32_t left = promised();
  return available >= left + (left < step_ ? step_ : std::max(step_, size_ / 4));
}

}  // namespace sluice::assoc
