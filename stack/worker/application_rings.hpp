#pragma once

#include <memory>
#include <vector>

#include "stack/worker/worker_group.hpp"

namespace sluice::worker {

/// One application thread's end of its channels to all workers of a group, with its send memory.
class ApplicationRings {
 public:
  struct Options {
    std::uint32_t commands = 4096;        ///< of each channel
    std::uint32_t events = 8192;          ///< of each channel
    std::uint32_t lent = 32768;           ///< received buffers of each worker that it may hold at once
    std::uint64_t send_arena = 32 << 20;  ///< bytes of send memory, for all channels
  };

  ApplicationRings(WorkerGroup& group, const Options& options);
  ApplicationRings(const ApplicationRings&) = delete;
  ApplicationRings& operator=(const ApplicationRings&) = delete;
  /// After close(), once detached().
  ~ApplicationRings();

  ApplicationId id() const { return id_; }
  std::uint16_t workers() const { return static_cast<std::uint16_t>(channels_.size()); }
  Channel& channel(std::uint16_t worker) { return *channels_[worker]; }
  SendArena& arena() { return arena_; }
  WakeUp& wake_up() { return wake_up_; }

  /// Shows the workers what was pushed. Once a burst.
  void publish();
  /// Takes back the send memory that the workers are done with.
  void reclaim() {
    reclaim([](std::uint32_t) {});
  }
  /// As reclaim(), calling visit(index) for each block.
  template <class Visit>
  void reclaim(Visit&& visit) {
    for (const auto& channel : channels_) channel->reclaim(arena_, visit);
  }
  /// Whether any channel has events: look after wake_up().announce().
  bool has_events() const;

  /// The application leaves; its associations are aborted. Then poll the workers, or wait for their threads, until
  /// detached().
  void close();
  bool detached() const;

 private:
  WorkerGroup& group_;
  std::vector<std::byte> memory_;
  SendArena arena_;
  WakeUp wake_up_;
  std::vector<std::unique_ptr<Channel>> channels_;
  ApplicationId id_;
};

}  // namespace sluice::worker
