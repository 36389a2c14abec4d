export default { serverExternalPackages: ['fanline'] };
