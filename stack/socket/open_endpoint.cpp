#include "stack/socket/open_endpoint.hpp"

#include <sluice/error.hpp>

namespace sluice::socket {
namespace {

std::string describe(worker::CommandStatus status) {
  switch (status) {
    case worker::CommandStatus::bad_arguments:
      return "an address is not one of the stack's; see the [[port]] addresses of the configuration";
    case worker::CommandStatus::port_in_use:
      return "another endpoint has the port; choose another or close that one";
    case worker::CommandStatus::limit_reached:
      return "the limit of endpoints is reached; raise limits.endpoints";
    default:
      return "refused with code " + std::to_string(static_cast<int>(status));
  }
}

void check(const char* wrong) {
  if (wrong != nullptr) throw Error(std::string("these parameters cannot be: ") + wrong);
}

}  // namespace

void check_range(const Parameters& parameters) {
  check(worker::find_error(parameters));
}

void check_range(const PathOptions& options) {
  check(worker::find_error(options));
}

void check_parameters_set(worker::CommandStatus status) {
  if (status == worker::CommandStatus::no_endpoint)
    throw Error("cannot set the parameters of an endpoint: there is none of this id, or it is another application's");
  if (status != worker::CommandStatus::done)
    throw Error("cannot set the parameters of an endpoint: " + describe(status));
}

worker::OpenEndpointArguments open_endpoint_arguments(const EndpointOptions& options) {
  worker::OpenEndpointArguments arguments;
  for (const IpAddress& address : options.addresses)
    if (!arguments.addresses.push_back(address))
      throw Error("an endpoint has at most " + std::to_string(assoc::kMaxAddresses) + " addresses");
  arguments.port = options.port;
  arguments.listen = options.listen;
  arguments.backlog = options.backlog;
  arguments.has_parameters = options.parameters.has_value();
  if (options.parameters) {
    check_range(*options.parameters);
    arguments.parameters = *options.parameters;
  }
  return arguments;
}

void check_opened(worker::CommandStatus status, std::uint16_t port) {
  if (status != worker::CommandStatus::done)
    throw Error("cannot open an endpoint on port " + std::to_string(port) + ": " + describe(status));
}

worker::ConnectArguments connect_arguments(std::span<const IpAddress> peers, std::uint16_t port,
                                           const std::optional<Parameters>& parameters) {
  worker::ConnectArguments arguments;
  if (parameters) {
    check_range(*parameters);
    arguments.has_parameters = true;
    arguments.parameters = *parameters;
  }
  for (const IpAddress& peer : peers)
    if (!arguments.peers.push_back(peer)) break;
  arguments.port = port;
  return arguments;
}

}  // namespace sluice::socket
