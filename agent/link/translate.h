#pragma once
/// From hawkBit's words to Davit's: chunks and their metadata become parts. Mapping for users: docs/ddi-mapping.md.

#include "agent/deployment.h"
#include "common/result.h"
#include "hawkbit/ddi/client.h"

namespace davit {

/// Errors: InvalidInput naming chunk and metadata key: no `commit`, not a commit id, an unknown part, a name that is
/// none, the same app twice, a value that is not what its key needs; Unsupported for parts and modes that this version
/// does not do.
Result<Deployment> translate(const ddi::Deployment& offered);

}  // namespace davit
