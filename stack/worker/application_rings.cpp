#include "stack/worker/application_rings.hpp"

#include <algorithm>

namespace sluice::worker {

ApplicationRings::ApplicationRings(WorkerGroup& group, const Options& options)
    : group_(group), memory_(std::max(options.send_arena, ArenaLayout::kLeastBytes)), arena_(memory_) {
  ChannelConfig config;
  config.commands = options.commands;
  config.events = options.events;
  config.lent = options.lent;
  config.arena = memory_;
  std::vector<Channel*> channels;
  for (std::uint16_t worker = 0; worker < group.workers(); ++worker) {
    channels_.push_back(std::make_unique<Channel>(config, group.wake_up(worker), wake_up_));
    channels.push_back(channels_.back().get());
  }
  id_ = group.attach(channels);
}

ApplicationRings::~ApplicationRings() {
  SLUICE_CHECK(detached());
  group_.forget(id_);
}

void ApplicationRings::publish() {
  for (const auto& channel : channels_) channel->publish();
}

bool ApplicationRings::has_events() const {
  return std::any_of(channels_.begin(), channels_.end(), [](const auto& channel) { return channel->has_events(); });
}

void ApplicationRings::close() {
  for (const auto& channel : channels_) channel->close();
}

bool ApplicationRings::detached() const {
  return std::all_of(channels_.begin(), channels_.end(), [](const auto& channel) { return channel->detached(); });
}

}  // namespace sluice::worker
