#include <sluice/stack.hpp>

#include "stack/socket/dpdk_stack.hpp"

namespace sluice {
namespace {

/// Setup errors of the rooms below, as the one type that the public API throws.
template <class Make>
auto translating(Make&& make) {
  try {
    return make();
  } catch (const drivers::SetupError& error) {
    throw Error(error.what());
  }
}

}  // namespace

struct Stack::Impl {
  explicit Impl(const StackConfig& config) : stack(config) {}
  socket::DpdkStack stack;
};

Stack::Stack(const StackConfig& config) : impl_(translating([&] { return std::make_unique<Impl>(config); })) {}

Stack::~Stack() = default;

std::unique_ptr<Application> Stack::attach() {
  return translating([&] { return impl_->stack.attach_rings(); });
}

std::unique_ptr<Application> Stack::run_inline(std::uint16_t worker) {
  return translating([&] { return impl_->stack.run_inline(worker); });
}

std::uint16_t Stack::workers() const {
  return impl_->stack.workers();
}

std::vector<CounterStatus> Stack::counters() const {
  return impl_->stack.counters();
}

std::vector<AssociationStatus> Stack::associations(AssocId after, std::size_t limit) const {
  return impl_->stack.associations(after, limit);
}

}  // namespace sluice
