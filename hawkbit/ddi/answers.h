#pragma once
/// Reading of hawkBit's DDI answers. Private to this room: no network, so that every malformed answer can be tested as
/// text.

#include <string>
#include <string_view>

#include "hawkbit/ddi/client.h"

namespace davit::ddi {

/// "https://hawkbit.example/DEFAULT/controller/v1/dev1": where every request of this device goes.
std::string base_url(const ServerAddress& address);

/// The link @p href to @p resource ("deploymentBase") of this device, rebuilt below our own base URL.
///
/// hawkBit makes its links from the request it got: behind a proxy that forwards no headers they name the wrong scheme
/// or host. So only what follows the device's own path is taken, and a token never goes to a host that the
/// configuration does not name. Errors: InvalidInput when the link is not one to @p resource of a device.
Result<std::string> own_link(const ServerAddress& address, std::string_view href, std::string_view resource);

// Each reads the body of one answer; `source` is what an error calls it ("answer of GET http://…"). Errors:
// InvalidInput with the path.
Result<Poll> read_poll(std::string_view body, const std::string& source, const ServerAddress& address);
/// @param member where the chunks are: "deployment" or "confirmation"
Result<Deployment> read_deployment(std::string_view body, const std::string& source, std::string_view member);
Result<std::string> read_cancel(std::string_view body, const std::string& source);

}  // namespace davit::ddi
