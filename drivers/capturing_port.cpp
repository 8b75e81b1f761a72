#include "drivers/capturing_port.hpp"

#include <algorithm>
#include <utility>

namespace sluice::drivers {

CapturingPort::CapturingPort(std::unique_ptr<Port> port, base::Clock& clock, Duration since_epoch,
                             const std::string& path)
    : port_(std::move(port)), clock_(clock), since_epoch_(since_epoch) {
  const std::uint16_t queues = std::max(info().receive_queues, info().transmit_queues);
  for (std::uint16_t i = 0; i < queues; ++i)
    queues_.push_back({std::make_unique<PcapWriter>(path + "-" + std::to_string(i) + ".pcap"),
                       std::vector<std::byte>(info().mtu + kMaxEthernetHeader)});
}

std::uint16_t CapturingPort::receive(std::uint16_t queue, std::span<base::Buffer> out) noexcept {
  const std::uint16_t received = port_->receive(queue, out);
  PcapWriter& writer = *queues_[queue].writer;
  for (const base::Buffer& frame : out.first(received)) writer.write(clock_.now() + since_epoch_, frame.bytes());
  if (received > 0) writer.flush();
  return received;
}

std::uint16_t CapturingPort::transmit(std::uint16_t queue_number, std::span<base::Buffer> frames) noexcept {
  Queue& queue = queues_[queue_number];
  std::uint16_t sent = 0;
  while (sent < frames.size()) {
    // Once taken, the frame is gone; before, nobody knows whether it will be.
    const std::size_t size = std::min<std::size_t>(frames[sent].size(), queue.copy.size());
    std::copy_n(frames[sent].data(), size, queue.copy.data());
    if (port_->transmit(queue_number, frames.subspan(sent, 1)) == 0) break;
    queue.writer->write(clock_.now() + since_epoch_, std::span(queue.copy).first(size));
    ++sent;
  }
  if (sent > 0) queue.writer->flush();
  return sent;
}

}  // namespace sluice::drivers
