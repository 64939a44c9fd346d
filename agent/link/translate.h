#pragma once
/// From hawkBit's words to Davit's: chunks and their metadata become parts. Mapping for users: docs/ddi-mapping.md.

#include "agent/deployment.h"
#include "common/result.h"
#include "hawkbit/ddi/client.h"

namespace davit {

/// Errors: InvalidInput naming chunk and metadata key: no `commit`, not a commit id, an unknown part, a name that is
/// none, the same app twice, a value that is not what its key needs; Unsupported for parts that this version
/// does not do.
Result<Deployment> translate(const ddi::Deployment& offered);

/// When the server wants what. A window that is closed makes the update wait; `skip` without a window means download
/// only, where the update never comes.
Terms terms_of(const ddi::Deployment& offered);

}  // namespace davit
