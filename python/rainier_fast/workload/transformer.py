"""A transformer: its shape, and how many numbers it keeps and uses for a token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rainier_fast.definitions.check import as_count, as_number
from rainier_fast.files.saved import Saved
from rainier_fast.workload.config import read_config
from rainier_fast.workload.flops import Mask, Recompute, by_conventions, per_token
from rainier_fast.workload.numbers import Numbers, numbers
from rainier_fast.workload.shape import MOST_SEQUENCE, Shape

if TYPE_CHECKING:
    from rainier_fast.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformer(Shape, Saved):
    """A decoder: embedding, layers of attention and MLPs, head.

    Attributes
    ----------
    name
        What results call it.
    layers, hidden, vocab
        Layers; numbers in a row between them; tokens of the vocabulary.
    heads, kv_heads, head_size
        Heads of queries; heads of keys and values (None: as many); numbers of a head (None:
        hidden / heads).
    ffn
        Numbers inside the MLP of layers without experts; 0 where all layers have some.
    gated
        Whether MLPs multiply two products (three matrices) or have one (two matrices).
    mla, experts, window
        Latent attention; experts; how far back layers look. None where there is none.
    tied
        Whether the head is the embedding.
    mtp
        Layers that predict further tokens in training. They count in `mtp_parameters` alone.
    norm, norms
        ``"rms"`` (a scale) or ``"layer"`` (a scale and a shift); how many a layer has.
    qk_norm
        Whether heads of queries and keys are normed, with a scale of one head for each.
    biases
        Which products add some: ``"none"``, ``"qkv"``, ``"attention"`` (its output too) or
        ``"all"``, with MLPs, experts and routers.
    sinks
        Whether each head has a number beside its scores.
    positions
        Positions that are learned; 0 for none.

    Raises
    ------
    InvalidArgument, InvalidType, UnknownName
        If a value is not usable, or two do not fit each other; the message names it.

    Examples
    --------
    >>> small = Transformer(layers=2, hidden=64, heads=4, ffn=256, vocab=1000)
    >>> small.parameters
    259392
    """

    @classmethod
    def from_config(cls, config: object, name: str | None = None) -> Self:
        """Read the configuration of a model as Hugging Face's transformers write it.

        Parameters
        ----------
        config
            A path to a ``config.json``, its text, or the dict that it holds, of one of the types
            llama, mistral, qwen2, qwen3, qwen3_moe, mixtral, deepseek_v3, kimi_k2, gpt_oss,
            llama4_text, gpt2 and gpt_neox.
        name
            What results call it; None for the type.

        Returns
        -------
        Transformer
            The model.

        Raises
        ------
        Unsupported
            If the type is none of those, or a key may change the sums and is not known; it names
            the type or the key.
        InvalidArgument, InvalidType
            If it cannot be read, or a key is missing or not usable; it names the key.

        Examples
        --------
        >>> text = '''{"model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32,
        ...     "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336,
        ...     "vocab_size": 128256}'''
        >>> f"{Transformer.from_config(text).parameters:,}"
        '8,030,261,248'
        """
        fields = read_config(config)
        return cls(**fields if name is None else {**fields, "name": name})

    _saved_as = "model"

    @property
    def numbers(self) -> Numbers:
        """How many numbers each kind of part keeps, in one layer."""
        return numbers(self)

    @property
    def parameters(self) -> int:
        """Numbers that the model keeps, without `mtp_parameters`."""
        return self.numbers.total(self)

    @property
    def active_parameters(self) -> int:
        """Those that one token uses: of experts, those visited; embedding and head count."""
        return self.numbers.active(self)

    @property
    def mtp_parameters(self) -> int:
        """Numbers of the layers that predict further tokens, which share embedding and head."""
        return self.numbers.further(self)

    def kv_bytes(self, context: object = 1, bytes_per_number: object = 2) -> float:
        """Return the bytes that the cache of keys and values of one sequence takes.

        Parameters
        ----------
        context
            Tokens in the cache. Layers with a window keep no more than that many.
        bytes_per_number
            Bytes of a number: 2 for bf16, 1 for fp8.

        Returns
        -------
        float
            Bytes: two rows of kv_heads x head_size a token and layer, of latent attention the
            latent row and the part of keys with a position.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> rf.model("llama-3.1-8b").kv_bytes()
        131072.0
        """
        tokens = as_count("context", context, MOST_SEQUENCE)
        width = as_number("bytes_per_number", bytes_per_number, 0.1, 8, "must be 0.1 to 8 bytes")
        if self.mla is not None:
            row = self.mla.kv_rank + self.mla.rope_size
        else:
            row = 2 * self.shared_heads * self.numbers.head_size
        windowed = self.windowed_layers
        kept = 0 if self.window is None else min(self.window.size, tokens)
        return float(row * (windowed * kept + (self.layers - windowed) * tokens) * width)

    def flops_per_token(
        self,
        sequence: object,
        *,
        mask: Mask = "causal",
        head: bool = True,
        mtp: bool = False,
        backward: bool = True,
        recompute: Recompute = "none",
    ) -> float:
        """Return the floating-point operations for one token of a sequence.

        Parameters
        ----------
        sequence
            Tokens of the sequence, over which scores of attention are averaged.
        mask
            ``"causal"`` counts the scores that the mask leaves, ``"full"`` all of them.
        head, mtp
            Whether the head counts, and the layers that predict further tokens with theirs.
        backward
            Whether the backward pass counts, twice the forward one; else the forward pass alone.
        recompute
            What is computed again in the backward pass: ``"none"``, ``"selective"`` (the scores of
            attention) or ``"full"`` (all layers). Model FLOPs, which MFU is made of, have none.

        Returns
        -------
        float
            FLOPs, a multiply-add as 2: for each matrix 2 for each of its numbers, for scores
            4 x heads x head size for each token that is looked at. Embedding, norms, softmax and
            activations do not count.

        Raises
        ------
        InvalidArgument, InvalidType, UnknownName
            If an argument is not usable; the message names it.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> model = rf.model("llama-3.1-8b")
        >>> f"{model.flops_per_token(8192, mask='full'):.4e}"
        '5.7913e+10'
        """
        tokens = as_count("sequence", sequence, MOST_SEQUENCE)
        return per_token(self, tokens, mask, recompute, head=head, mtp=mtp, backward=backward)

    def conventions(self, sequence: object) -> Table:
        """Return the FLOPs per token of training by the conventions that sources print theirs by.

        Parameters
        ----------
        sequence
            Tokens of the sequence.

        Returns
        -------
        Table
            ``convention``, ``mask``, ``mtp``, ``recompute``, ``flops_per_token`` and ``source``.

        Examples
        --------
        >>> import rainier_fast as rf
        >>> table = rf.model("llama-3.1-8b").conventions(131_072)
        >>> ratio = table["flops_per_token"][1] / table["flops_per_token"][0]
        >>> print(f"{ratio:.2f}")
        1.70
        """
        return by_conventions(self, as_count("sequence", sequence, MOST_SEQUENCE))

    def __str__(self) -> str:
        words = f"{self.name}: {self.parameters / 1e9:.2f} billion parameters"
        if self.experts is not None:
            words += f", {self.active_parameters / 1e9:.2f} billion a token"
        shape = f"{self.layers} layers of {self.hidden}, {self.heads} heads"
        return f"{words}; {shape}, vocabulary {self.vocab:,}"
