"""Classes of Keras by what an inference does in them: those that multiply no matrices, and the rest by name."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _ranks(*kinds: str) -> frozenset[str]:
    return frozenset(f"{kind}{rank}D" for kind in kinds for rank in (1, 2, 3))


PASSED = _words("""
Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D AlphaDropout GaussianDropout GaussianNoise
ActivityRegularization RandomBrightness RandomContrast RandomFlip RandomRotation RandomTranslation RandomZoom
RandomHue RandomSaturation RandomShear RandomErasing RandomGrayscale RandomInvert RandomPosterization
""")
"""Layers that act in training only: in an inference they give what they take."""

ELEMENTWISE = _words("""
Activation ReLU LeakyReLU PReLU ELU Softmax ThresholdedReLU BatchNormalization SyncBatchNormalization
LayerNormalization GroupNormalization RMSNormalization UnitNormalization SpectralNormalization Normalization
Rescaling Masking Identity Relu Relu6 Sigmoid Silu Tanh Gelu HardSigmoid HardSilu Elu Selu Softplus Negative
Absolute Sqrt Rsqrt Square Exp Log Clip
""")
"""Layers, and operations between layers, whose output has the shape of their input."""

MERGED = _words("Add Subtract Multiply Average Maximum Minimum Divide TrueDivide")
"""Those that take several tensors and give one as large."""

POOLED = _ranks("MaxPooling", "AveragePooling")

POOLED_WHOLE = _ranks("GlobalMaxPooling", "GlobalAveragePooling")

AROUND = _ranks("ZeroPadding", "Cropping")
"""Those that add or take away at the ends of axes."""

MOVED = _ranks("UpSampling") | _words("""
Concatenate Flatten Reshape Permute RepeatVector Embedding CenterCrop RandomCrop Transpose GetItem ExpandDims
Squeeze Cast Stack Split Pad BroadcastTo Repeat
""")
"""Those that put numbers elsewhere, and compute none."""

WITHOUT_MACS = PASSED | ELEMENTWISE | MERGED | POOLED | POOLED_WHOLE | AROUND | MOVED

OTHERS = _words("""
InputLayer Functional Sequential Model Resizing RNN StackedRNNCells LSTMCell GRUCell SimpleRNNCell ConvLSTM1D
ConvLSTM2D ConvLSTM3D Attention AdditiveAttention GroupedQueryAttention Dot CategoryEncoding Discretization
Hashing HashedCrossing IntegerLookup StringLookup TextVectorization MelSpectrogram STFTSpectrogram TFOpLambda
SlicingOpLambda TensorFlowOpLayer Matmul Einsum Mean Sum Max Min Power
""")
"""Keras's own beside those above and those whose multiply-accumulates are known (`keras_layers`)."""
