package dev.bedside.jni;

/** How a heatmap is computed. */
public enum ExplainMethod {
    /**
     * A class activation map: the features before the pooling, weighted by the linear head. It comes from the run that
     * gave the scores and costs next to nothing. It needs a model whose manifest has an {@code explanation}.
     */
    CLASS_ACTIVATION,
    /**
     * By how much the label's log-odds fall where a part of the input is covered with the input's mean colour. It serves
     * every model and takes 64 more runs of the graph.
     */
    OCCLUSION
}
