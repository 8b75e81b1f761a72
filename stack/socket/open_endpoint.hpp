#pragma once

#include <sluice/application.hpp>

#include <optional>
#include <string>

#include "stack/worker/channel_records.hpp"
#include "stack/worker/command_arguments.hpp"

namespace sluice::socket {

/// The command's form of `options`. Throws Error when they cannot be.
worker::OpenEndpointArguments open_endpoint_arguments(const EndpointOptions& options);
/// Throws Error, which says how to mend it, unless `status` is done.
void check_opened(worker::CommandStatus status, std::uint16_t port);
/// Throw Error, which says what is wrong, when a value is out of range.
void check_range(const Parameters& parameters);
void check_range(const PathOptions& options);
/// Throws Error unless `status` is done.
void check_parameters_set(worker::CommandStatus status);
/// The command's form; peers past the most that an association has are left out. Throws Error when one of `parameters`
/// is out of range.
worker::ConnectArguments connect_arguments(std::span<const IpAddress> peers, std::uint16_t port,
                                           const std::optional<Parameters>& parameters);

}  // namespace sluice::socket
