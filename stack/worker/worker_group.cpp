#include "stack/worker/worker_group.hpp"

#include <sluice/error.hpp>

#include <algorithm>

namespace sluice::worker {

WorkerGroup::WorkerGroup(const Config& config, std::vector<drivers::Port*> ports,
                         std::span<const WorkerResources> resources, base::Random& random)
    : stack_(config, std::move(ports), static_cast<std::uint16_t>(resources.size()), random) {
  for (const WorkerResources& resource : resources)
    workers_.push_back(
        std::make_unique<Worker>(stack_, endpoint::WorkerId(static_cast<std::uint16_t>(workers_.size())), resource));
}

// The first one last: what all share of their endpoints is its coordinator's.
WorkerGroup::~WorkerGroup() {
  while (!workers_.empty()) workers_.pop_back();
}

bool WorkerGroup::poll_all() {
  bool any = false;
  for (const auto& worker : workers_) any |= worker->poll_once();
  return any;
}

Timestamp WorkerGroup::next_deadline() const {
  Timestamp next = kNever;
  for (const auto& worker : workers_) next = std::min(next, worker->next_deadline());
  return next;
}

ApplicationId WorkerGroup::attach(std::span<Channel* const> channels) {
  SLUICE_CHECK(channels.size() == workers_.size());
  const std::lock_guard lock(attaching_);
  const auto free = std::find(attached_.begin(), attached_.end(), false);
  const auto index = static_cast<std::size_t>(free - attached_.begin());
  if (index == StackState::kMaxApplications)
    throw Error("too many applications are attached to the stack: at most " +
                std::to_string(StackState::kMaxApplications - 1));
  if (free == attached_.end()) attached_.push_back(false);
  attached_[index] = true;
  const ApplicationId id(static_cast<std::uint16_t>(index));
  for (std::size_t i = 0; i < channels.size(); ++i) {
    // There is room for every application at once.
    SLUICE_CHECK(stack_.attachments[i]->push({id, channels[i]}));
    stack_.attachments[i]->publish();
    stack_.wake_ups[i]->wake_if_sleeping();
  }
  return id;
}

void WorkerGroup::forget(ApplicationId application) {
  const std::lock_guard lock(attaching_);
  attached_[application.value] = false;
}

}  // namespace sluice::worker
