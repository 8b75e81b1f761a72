#include "stack/socket/observer.hpp"

#include <sluice/error.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "stack/socket/association_status.hpp"

namespace sluice::socket {
namespace {

using worker::CommandRecord;
using worker::CommandType;

worker::ApplicationRings::Options ring_options() {
  worker::ApplicationRings::Options options;
  options.commands = 16;
  options.events = 64;
  options.lent = 1;
  options.send_arena = worker::ArenaLayout::kLeastBytes;
  return options;
}

}  // namespace

Observer::Observer(worker::WorkerGroup& group, LoopRunners& runners, Duration patience)
    : group_(group), runners_(runners), patience_(patience), rings_(group, ring_options()) {}

Observer::~Observer() {
  rings_.close();
  while (!rings_.detached()) runners_.advance_all();
}

// A thread that runs a worker's loop may be what the one before it waits for.
std::unique_lock<std::mutex> Observer::take_turn() {
  std::unique_lock lock(mutex_, std::defer_lock);
  while (!lock.try_lock()) runners_.advance_all();
  return lock;
}

std::span<const std::byte> Observer::ask(std::uint16_t index, const CommandRecord& wanted) {
  CommandRecord command = wanted;
  const auto give_up = std::chrono::steady_clock::now() + patience_;
  rings_.reclaim();
  const auto piece = rings_.arena().allocate(worker::ArenaLayout::kLargestBlock);
  worker::Channel& channel = rings_.channel(index);
  command.request = ++requests_;
  if (piece) {
    command.block = piece->block;
    command.length = worker::ArenaLayout::kLargestBlock;
  }
  if (!piece || !channel.command(command)) throw Error("the stack's workers are behind with their answers; try again");
  rings_.publish();
  std::array<worker::EventRecord, 1> record;
  // What was asked before, and given up, may be answered first.
  for (bool late = false;; late = std::chrono::steady_clock::now() > give_up) {
    runners_.advance_all();
    if (channel.poll(record) > 0 && record[0].context == command.request) break;
    if (late) throw Error("worker " + std::to_string(index) + " does not answer; does its loop run?");
  }
  if (static_cast<worker::CommandStatus>(record[0].error) != worker::CommandStatus::done) return {};
  return std::span<const std::byte>(piece->bytes).first(std::min<std::size_t>(record[0].length, piece->bytes.size()));
}

std::vector<CounterStatus> Observer::counters() {
  const auto lock = take_turn();
  std::vector<CounterStatus> out;
  worker::visit_counters({worker::Counters(), assoc::Counters(), endpoint::Counters(), ip::Counters(),
                          worker::ChannelCounters(), drivers::QueueCounters()},
                         [&out](const char* room, const char* name, const char* help, std::uint64_t) {
                           out.push_back({std::string(room) + '.' + name, help, 0});
                         });
  for (std::uint16_t i = 0; i < group_.workers(); ++i) {
    CommandRecord command;
    command.type = CommandType::counters;
    const auto bytes = ask(i, command);
    for (std::size_t k = 0; k < out.size() && (k + 1) * sizeof(std::uint64_t) <= bytes.size(); ++k) {
      std::uint64_t value = 0;
      std::memcpy(&value, bytes.data() + k * sizeof value, sizeof value);
      out[k].value += value;
    }
  }
  return out;
}

std::size_t Observer::snapshots(std::uint16_t index, AssocId after, std::vector<AssociationStatus>& out,
                                std::size_t limit) {
  CommandRecord command;
  command.type = CommandType::snapshot;
  command.association = after;
  command.value = static_cast<std::uint32_t>(std::min<std::size_t>(limit, UINT32_MAX));
  const auto bytes = ask(index, command);
  const std::size_t n = bytes.size() / sizeof(assoc::Snapshot);
  for (std::size_t i = 0; i < n; ++i) {
    assoc::Snapshot snapshot;
    std::memcpy(static_cast<void*>(&snapshot), bytes.data() + i * sizeof snapshot, sizeof snapshot);
    out.push_back(association_status(snapshot, index));
  }
  return n;
}

std::vector<AssociationStatus> Observer::associations(AssocId after, std::size_t limit) {
  const auto lock = take_turn();
  std::vector<AssociationStatus> out;
  // Ids are ordered by worker, so the workers before the one of `after` have nothing to say.
  for (std::uint16_t i = 0; i < group_.workers(); ++i)
    while (out.size() < limit && snapshots(i, after, out, limit - out.size()) > 0) after = out.back().id;
  return out;
}

}  // namespace sluice::socket
