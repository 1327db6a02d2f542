"""In what precision a step calculates: bfloat16 where that is faster, else single precision."""

import torch

# With AVX2 alone oneDNN imitates bfloat16: seven times slower than single precision.
FAST_PROCESSORS = ("AVX512", "AMX")


def is_bfloat16_fast(device: str) -> bool:
    """Say whether the GPU, or this kind of processor, calculates in bfloat16 by itself."""
    if torch.device(device).type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return str(torch.backends.cpu.get_cpu_capability()).startswith(FAST_PROCESSORS)


def automatic(device: str) -> torch.autocast:
    """Calculate what follows in bfloat16 where that is fast and precise enough."""
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=is_bfloat16_fast(device))
