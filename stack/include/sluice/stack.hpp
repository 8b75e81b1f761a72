#pragma once

#include <sluice/application.hpp>
#include <sluice/config.hpp>
#include <sluice/error.hpp>
#include <sluice/export.hpp>

#include <memory>

namespace sluice {

/// A running SCTP stack: its ports, and workers that each own a share of the associations.
class SLUICE_API Stack {
 public:
  /// Opens the ports and makes the workers. Throws Error: what is wrong, where, and how to mend it. Only one stack at a
  /// time can own DPDK in a process.
  explicit Stack(const StackConfig& config);
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;
  /// Stops the workers. Associations still up are aborted, so that their peers know. Applications must be gone before.
  ~Stack();

  /// A new application, joined with every worker by rings. The workers' threads start with the first one.
  std::unique_ptr<Application> attach();
  /// The application of worker `worker`'s own loop: the calling thread becomes that worker, and runs it in poll().
  /// Not together with attach(); each worker once.
  std::unique_ptr<Application> run_inline(std::uint16_t worker = 0);

  std::uint16_t workers() const;
  /// All counters, summed over the workers. From any thread.
  std::vector<CounterStatus> counters() const;
  /// Up to `limit` associations whose id is above `after`, in order of id. From any thread.
  std::vector<AssociationStatus> associations(AssocId after, std::size_t limit) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice
