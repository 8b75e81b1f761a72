#pragma once

#include <sluice/ip_address.hpp>

#include <span>

#include "stack/assoc/host.hpp"
#include "stack/base/random.hpp"
#include "stack/endpoint/cookie.hpp"
#include "stack/endpoint/counters.hpp"
#include "stack/endpoint/endpoint_table.hpp"
#include "stack/endpoint/rate_limit.hpp"
#include "stack/endpoint/steering.hpp"

namespace sluice::endpoint {

/// What the roles of one worker share; outlives them.
struct Services {
  WorkerId self;
  assoc::Host& host;
  base::Random& random;
  Steering& steering;
  EndpointTable& endpoints;
  CookieSealer& cookies;
  RateLimit& inits;    ///< of INITs that the directory looks at
  RateLimit& forged;   ///< of cookies that turn out to be none of ours; beyond, none is looked at
  RateLimit& answers;  ///< of ABORTs, SHUTDOWN COMPLETEs and ERRORs to whom no association is known
  Counters& counters;
  std::span<const IpAddress> stack_addresses;  ///< what endpoints that name no addresses are open on
};

}  // namespace sluice::endpoint
