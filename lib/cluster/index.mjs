import cluster from './index.js';

export const { clusterAdapter, setupPrimary } = cluster;
